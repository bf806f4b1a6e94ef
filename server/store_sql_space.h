/* store_sql_space.h - the statements about room and quotas; see store_sql.h. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STORE_SQL_SPACE_H
#define SERVER_STORE_SQL_SPACE_H

// clang-format off
/* name, SQL */
#define STORE_SQL_SPACE(X) \
	X(SPACE_PAGES, "SELECT c.page_count*s.page_size,f.freelist_count*s.page_size" \
		" FROM pragma_page_count c,pragma_freelist_count f,pragma_page_size s") \
	X(SPACE_VACUUM, "PRAGMA incremental_vacuum(1000)") \
	X(QUOTA_RUNS, "SELECT COUNT(*) FROM run WHERE owner=? AND state='queued'") \
	X(QUOTA_BYTES, "SELECT (SELECT COALESCE(SUM(bytes),0) FROM dataset WHERE owner=?1)" \
		"+(SELECT COALESCE(SUM(c.rows*c.width*CAST(substr(c.type,3) AS INTEGER)),0) FROM run r JOIN recording g ON g.run_id=r.id" \
			" JOIN recording_column c ON c.recording_id=g.id WHERE r.owner=?1)" \
		"+(SELECT COALESCE(SUM(k.bytes),0) FROM session x JOIN session_checkpoint k ON k.session_id=x.id WHERE x.owner=?1)")
// clang-format on

#endif
