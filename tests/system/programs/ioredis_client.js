// ioredis: commands one by one, a pipeline, a transaction, and one that the server refuses. node ioredis_client.js PORT
const Redis = require("ioredis");

(async () => {
  const redis = new Redis({ port: Number(process.argv[2]), host: "127.0.0.1" });
  for (let i = 0; i < 10; i++) await redis.set("s3cr3t" + i, "s3cr3t");
  for (let i = 0; i < 7; i++) await redis.get("s3cr3t" + i);
  const pipeline = redis.pipeline();
  for (let i = 0; i < 16; i++) pipeline.incr("n");
  await pipeline.exec();
  await redis.multi().lpush("s3cr3tlist", "s3cr3t").exec();
  await redis.incr("s3cr3t1").catch(() => {});
  await redis.quit();
})();
