/* A section "heap" of two call stacks, for the tests of what is drawn from it. */
#ifndef GAPSCOPE_TESTS_UNIT_REPORT_HEAP_SAMPLE_H
#define GAPSCOPE_TESTS_UNIT_REPORT_HEAP_SAMPLE_H

#define HEAP_SAMPLE \
	"{\"heap\":{\"live_bytes\":4194304},\"sites\":[" \
	"{\"live_bytes\":3145728,\"alloc_bytes\":3145728,\"stack\":[{\"function\":\"leak<int>\",\"module\":\"shop\"}," \
	"{\"function\":\"main\",\"module\":\"shop\"}]}," \
	"{\"live_bytes\":1048576,\"alloc_bytes\":1048576,\"stack\":[{\"function\":null,\"module\":\"libx.so\",\"offset\":22}," \
	"{\"function\":\"main\",\"module\":\"shop\"}]}]}"

#endif
