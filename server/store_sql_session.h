/* store_sql_session.h - the statements about sessions; see store_sql.h. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STORE_SQL_SESSION_H
#define SERVER_STORE_SQL_SESSION_H

// clang-format off
#define STORE_SQL_SESSION_COLUMNS \
	"id,seq,version,state,name,owner,preset,parent,spec_sha256,seed,threads,created_ms,used_ms,t_ms,error,traceparent"

/* name, SQL */
#define STORE_SQL_SESSION(X) \
	X(SESSION_INSERT, "INSERT INTO session(id,seq,state,name,owner,preset,parent,spec,spec_sha256,seed,threads,created_ms,used_ms,t_ms,traceparent)" \
		" VALUES(?1,(SELECT COALESCE(MAX(seq),0)+1 FROM session),?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?11,?12,?13)") \
	X(SESSION_GET, "SELECT " STORE_SQL_SESSION_COLUMNS " FROM session WHERE id=?") \
	X(SESSION_SPEC, "SELECT spec FROM session WHERE id=?") \
	X(SESSION_LIST, "SELECT " STORE_SQL_SESSION_COLUMNS " FROM session WHERE seq<?1 AND (?2 IS NULL OR state=?2)" \
		" AND (?3 IS NULL OR owner IS NULL OR owner=?3) ORDER BY seq DESC LIMIT ?4") \
	X(SESSION_COUNT, "SELECT COUNT(*) FROM session WHERE ?1 IS NULL OR owner=?1") \
	X(SESSION_STATE, "UPDATE session SET version=version+1,state=?2,t_ms=COALESCE(?3,t_ms),error=?4,used_ms=?5 WHERE id=?1") \
	X(SESSION_WAKE, "UPDATE session SET version=version+1,state='awake',used_ms=?2 WHERE id=?1 AND state!='failed'") \
	X(SESSION_SLEEP, "UPDATE session SET version=version+1,state='parked' WHERE state='awake'") \
	X(SESSION_DELETE, "DELETE FROM session WHERE id=?") \
	X(SESSION_CKPT_INSERT, "INSERT INTO session_checkpoint(id,session_id,t_ms,bytes,created_ms) VALUES(?,?,?,?,?)") \
	X(SESSION_CKPT_LIST, "SELECT id,session_id,t_ms,bytes,created_ms FROM session_checkpoint WHERE session_id=? ORDER BY created_ms,id") \
	X(SESSION_CKPT_GET, "SELECT id,session_id,t_ms,bytes,created_ms FROM session_checkpoint WHERE id=?")
// clang-format on

#endif
