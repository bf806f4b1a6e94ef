/* fuzz.h - what a fuzz target gives: one function for any bytes.
 *
 * `make fuzz` links it with libFuzzer; else drive.c makes it a plain program. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Try these bytes; whatever is wrong ends the process. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#endif
