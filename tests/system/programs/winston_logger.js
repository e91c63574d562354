// winston with its two usual transports.
const winston = require('winston');
const log = winston.createLogger({
  format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
  transports: [new winston.transports.File({filename: 'winston.log'}), new winston.transports.Console()],
});
for (let i = 0; i < 3; i++) log.warn('declined', {card: process.env.CARD});
log.end();
