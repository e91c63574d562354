# Cross-build for aarch64 with Debian's gcc; tests/aarch64-sysroot lays cmocka for it beside the build, tests run by qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(GAPSCOPE_SYSROOT ${CMAKE_CURRENT_LIST_DIR}/../build/aarch64-sysroot)
set(CMAKE_C_FLAGS_INIT "-isystem ${GAPSCOPE_SYSROOT}/usr/include")
set(CMAKE_EXE_LINKER_FLAGS_INIT
  "-L${GAPSCOPE_SYSROOT}/usr/lib/aarch64-linux-gnu -Wl,-rpath,${GAPSCOPE_SYSROOT}/usr/lib/aarch64-linux-gnu")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
