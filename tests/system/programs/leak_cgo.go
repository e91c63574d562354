// Memory of C in a program of Go: leak_cgo ROUNDS.
package main

/*
#include <stdlib.h>
static __attribute__((noinline)) void *get(size_t n) { char *p = malloc(n); if (p) p[0] = 1; return p; }
static __attribute__((noinline)) void *leak_order(void) { void *p = get(3000); __asm__ volatile("" : : "r"(p) : "memory"); return p; }
*/
import "C"

import (
	"fmt"
	"os"
	"strconv"
)

func work() {
	C.leak_order()
	for i := 0; i < 4; i++ {
		C.free(C.get(2000))
	}
}

func main() {
	rounds, _ := strconv.Atoi(os.Args[1])
	for i := 0; i < rounds; i++ {
		work()
	}
	fmt.Printf("leak_order %d %d\n", rounds*11000, rounds*3000)
}
