/*
 * Every table, buffer and queue of the agent has its limit here. What happens at a limit is counted (core/counters.h) and
 * shown in every report. The shared memory's limits are in wire/shared.h.
 */
#ifndef GAPSCOPE_CORE_LIMITS_H
#define GAPSCOPE_CORE_LIMITS_H

#define LIMIT_PROCESSES 4096U            /* model: processes known at once, gone ones included until their events are done */
#define LIMIT_CONNECTIONS 131072U        /* model: open file descriptions known at once */
#define LIMIT_FDS_PER_PROCESS 1048576U   /* model: descriptors of one process */
#define LIMIT_EPOLL_ENTRIES 65536U       /* model: descriptors registered in one epoll set */
#define LIMIT_TLS_SESSIONS 65536U        /* model: sessions of TLS libraries; then the oldest is forgotten */
#define LIMIT_NAMES 16384U               /* model: address → name pairs learnt from the resolver */
#define LIMIT_SAMPLED_SOCKETS 131072U    /* sample: sockets of all processes that are looked up at once */
#define LIMIT_STACKS 65536U              /* core: distinct stacks; later ones become stack 0 */
#define LIMIT_STACK_FRAMES 48U           /* core: frames of one stack */
#define LIMIT_STRINGS_BYTES (64U << 20)  /* core: interned text */
#define LIMIT_REORDER_EVENTS 65536U      /* ingest: events held back to be put in order */
#define LIMIT_REORDER_BYTES (96U << 20)  /* ingest: memory of these */
#define LIMIT_IMAGES 512U                /* ingest: program files kept open for unwinding and names */
#define LIMIT_SYMBOLS (1U << 22)         /* ingest: symbols of one program file that are looked at */
#define LIMIT_IMAGE_PAGES 16384U         /* ingest: 4 KiB pages of one program file kept in memory */
#define LIMIT_MODULES 4096U              /* ingest: loaded objects of one process */
#define LIMIT_SITES 65536U               /* ingest: call sites with a known stack */
#define LIMIT_PERF_MAP_BYTES (64U << 20) /* ingest: largest /tmp/perf-PID.map that is read */
#define LIMIT_SCRIPT_CODES 16384U        /* ingest: functions of scripts of one process whose names are known */
#define LIMIT_FINDINGS 4096U             /* detectors: distinct findings a session */
#define LIMIT_PEERS 1024U                /* detectors: distinct peers with a verdict; later ones go to "other" */
#define LIMIT_OPERATIONS 65536U          /* detectors: retry keys followed at once */
#define LIMIT_LINE_BYTES 65536U          /* data detector: longest log line kept together */
#define LIMIT_SINKS 1024U                /* data detector: log sinks followed at once */
#define LIMIT_LEARN_SITES 4096U          /* ingest: call sites whose numbers are learnt */
#define LIMIT_TAILS 8192U                /* ingest: connections whose last bytes may begin a value that goes on */
#define LIMIT_HTTP_HEAD_BYTES 16384U     /* http1: longest head parsed */
#define LIMIT_HTTP_PIPELINE 64U          /* http1: requests without a response on one connection */
#define LIMIT_FRAME_HEAD 2048U           /* protocols: bytes of one frame that are kept together */
#define LIMIT_SPARE_REQUESTS 1024U       /* model: memory of requests that is kept for later ones */
#define LIMIT_OPEN_CALLS 4096U           /* protocols: requests without an answer on one connection, but HTTP/1 */
#define LIMIT_PREPARED 256U              /* protocols: prepared statements remembered of one connection */
#define LIMIT_QUERY_TEXT 512U            /* protocols: bytes of a sanitised query */
#define LIMIT_HEAP_BLOCKS (1U << 20)     /* model: sampled allocations that are alive at once */
#define LIMIT_HEAP_MAPS 4096U            /* model: of these, memory that one process mapped itself */
#define LIMIT_HEAP_SITES 16384U          /* heap detector: call sites of one process */
#define LIMIT_SPAN_QUEUE 2048U           /* exporters: spans waiting (OTEL_BSP_MAX_QUEUE_SIZE) */
#define LIMIT_SPARE_SPANS 4096U          /* exporters: latest spans that were not sampled, should a finding name one */
#define LIMIT_SPARE_ASKED 64U            /* exporters: spans that findings name and that have yet to end */
#define LIMIT_SERIES 2000U               /* exporters: attribute sets of one metric, then otel.metric.overflow */
#define LIMIT_PEER_TEXT 256U             /* bytes of a peer's or an operation's text */
#define LIMIT_RECORDING_BLOCK (1U << 20) /* recording: largest block */
#define LIMIT_CONFIG_BYTES (1U << 20)    /* configuration file */

#endif
