/* view.h - recordings of a run behind one interface: find, read a window, bin, thin out. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_VIEW_H
#define SERVER_VIEW_H

#include "core/base/npy.h"
#include "server/store_result.h"

/* ... filled in by its owner: pure functions over arrays (bin spikes, ISI histogram, min/max per bucket, weight histogram). */

#endif
