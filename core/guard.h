/* guard.h - a simulation's process gives up what it does not need: limits, privileges, system calls. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_GUARD_H
#define CORE_GUARD_H

#include <stdint.h>

#include "core/base/attr.h"

struct guard_limits {
	uint64_t memory_bytes; /* of address space; 0: as it is */
	uint64_t file_bytes;   /* of one file; 0: as it is */
	uint64_t cpu_s;	       /* 0: as it is */
};

/* Before anything is opened or started: close what was inherited beyond standard error, no core file, few
 * open files, the limits, no new privileges, no way in for a debugger. 0; -1 with errno. */
int guard_process(const struct guard_limits *limits) MUST_USE;
/* From here on programs, sockets to anywhere, debuggers, mounts and the like are refused with EPERM;
 * files, memory, threads and forks stay. Needs guard_process. 0; -1 with errno: this kernel or what
 * stands around it has no filters, and everything is as before. Nothing under sanitizers. */
int guard_calls(void) MUST_USE;

#endif
