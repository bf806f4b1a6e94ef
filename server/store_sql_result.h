/* store_sql_result.h - the statements about results and data sets; see store_sql.h. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STORE_SQL_RESULT_H
#define SERVER_STORE_SQL_RESULT_H

// clang-format off
/* name, SQL */
#define STORE_SQL_RESULT(X) \
	X(RECORDING_ADD, "INSERT INTO recording(run_id,kind,subject,name,meta) VALUES(?,?,?,?,?) RETURNING id") \
	X(RECORDING_SHOW, "UPDATE recording SET visible=1 WHERE run_id=?") \
	X(RECORDING_DROP, "DELETE FROM recording WHERE run_id=?") \
	X(RECORDING_DROP_HIDDEN, "DELETE FROM recording WHERE visible=0") \
	X(RECORDING_FIND, "SELECT id,kind,subject,name,meta FROM recording WHERE run_id=?1 AND visible=1" \
		" AND (?2 IS NULL OR kind=?2) AND (?3 IS NULL OR subject=?3) AND (?4 IS NULL OR name=?4) ORDER BY id") \
	X(COLUMN_ADD, "INSERT INTO recording_column(recording_id,position,name,type,rows,width) VALUES(?,?,?,?,?,?) RETURNING id") \
	X(COLUMN_LIST, "SELECT id,name,type,rows,width FROM recording_column WHERE recording_id=? ORDER BY position") \
	X(CHUNK_ADD, "INSERT INTO chunk(column_id,offset,data) VALUES(?,?,?)") \
	X(CHUNK_READ, "SELECT offset,data FROM chunk WHERE column_id=?1 AND offset>=?2 AND offset<?3 ORDER BY offset") \
	X(DATASET_ADD, "INSERT INTO dataset(id,seq,name,kind,sha256,bytes,created_ms,fields,owner)" \
		" VALUES(?1,(SELECT COALESCE(MAX(seq),0)+1 FROM dataset),?2,?3,?4,?5,?6,?7,?8)") \
	X(DATASET_GET, "SELECT id,seq,name,kind,sha256,bytes,created_ms,fields,owner FROM dataset WHERE id=?") \
	X(DATASET_LIST, "SELECT id,seq,name,kind,sha256,bytes,created_ms,fields,owner FROM dataset WHERE seq<?1 AND (?3 IS NULL OR owner IS NULL OR owner=?3)" \
		" ORDER BY seq DESC LIMIT ?2") \
	X(DATASET_DROP, "DELETE FROM dataset WHERE id=?") \
	X(DATASET_USED, "SELECT 'run '||id FROM run WHERE finished_ms IS NULL AND instr(spec,?1)" \
		" UNION ALL SELECT 'sweep '||id FROM sweep WHERE finished_ms IS NULL AND instr(spec||axes,?1) LIMIT 1")
// clang-format on

#endif
