/* store_sql.h - every statement, by name; prepared at start, so that a typo fails there.
 *
 * The statements about results and data sets stand in store_sql_result.h: STORE_SQL_RESULT(X), the
 * same shape. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STORE_SQL_H
#define SERVER_STORE_SQL_H

#include "server/store_sql_hook.h"
#include "server/store_sql_once.h"
#include "server/store_sql_result.h"
#include "server/store_sql_session.h"
#include "server/store_sql_space.h"
#include "server/store_sql_sweep.h"

// clang-format off
#define STORE_SQL_RUN_COLUMNS \
	"id,seq,version,state,name,tags,notes,preset,experiment,spec_sha256,seed,threads,created_ms,started_ms," \
	"finished_ms,duration_ms,t_ms,wall_s,digest,counts,metrics,partial,error,keep_days,targets,score,remarks,verify_of,verify_digest,owner,pinned,sweep,traceparent"
#define STORE_SQL_RUN_FILTER \
	"(?1 IS NULL OR state=?1) AND (?2 IS NULL OR preset=?2)" \
	" AND (?3 IS NULL OR EXISTS(SELECT 1 FROM json_each(tags) WHERE value=?3))" \
	" AND (?4 IS NULL OR instr(lower(name||' '||notes||' '||tags||' '||COALESCE(preset,'')||' '" \
		"||COALESCE(experiment,'')||' '||id),lower(?4)))" \
	" AND (?5 IS NULL OR spec_sha256=?5) AND (?6 IS NULL OR created_ms>?6)" \
	" AND (?9 IS NULL OR owner IS NULL OR owner=?9) AND (?10 IS NULL OR sweep=?10)"

#define STORE_SQL_TOKEN_COLUMNS \
	"id,seq,name,sha256,scopes,created_ms,expires_ms,revoked_ms,quota_runs,quota_sessions,quota_mb"

/* name, SQL */
#define STORE_SQL_RUN(X) \
	X(BEGIN, "BEGIN IMMEDIATE") \
	X(COMMIT, "COMMIT") \
	X(ROLLBACK, "ROLLBACK") \
	X(RUN_INSERT, "INSERT INTO run(id,seq,state,name,tags,notes,preset,experiment,spec,spec_sha256,seed,threads," \
		"created_ms,duration_ms,keep_days,verify_of,verify_digest,owner,sweep,traceparent) VALUES(?1,(SELECT COALESCE(MAX(seq),0)+1 FROM run),'queued',?2,?3,?4,?5,?6," \
		"?7,?8,?9,?10,?11,?12,NULLIF(?13,0),?14,?15,?16,?17,?18)") \
	X(RUN_GET, "SELECT " STORE_SQL_RUN_COLUMNS " FROM run WHERE id=?") \
	X(RUN_BY_SPEC, "SELECT " STORE_SQL_RUN_COLUMNS " FROM run WHERE spec_sha256=?1 AND state='succeeded'" \
		" AND json_extract(provenance,'$.version')=?2 AND (?3 IS NULL OR owner IS NULL OR owner=?3) ORDER BY seq DESC LIMIT 1") \
	X(RUN_SPEC, "SELECT spec FROM run WHERE id=?") \
	X(RUN_PROVENANCE, "SELECT provenance FROM run WHERE id=?") \
	X(RUN_SHAPE, "SELECT shape FROM run WHERE id=?") \
	X(RUN_LOG, "SELECT log FROM run WHERE id=?") \
	X(RUN_LIST_DOWN, "SELECT " STORE_SQL_RUN_COLUMNS " FROM run WHERE seq<?7 AND " STORE_SQL_RUN_FILTER " ORDER BY seq DESC LIMIT ?8") \
	X(RUN_LIST_UP, "SELECT " STORE_SQL_RUN_COLUMNS " FROM run WHERE seq>?7 AND " STORE_SQL_RUN_FILTER " ORDER BY seq LIMIT ?8") \
	X(RUN_LIST_COUNT, "SELECT COUNT(*) FROM run WHERE " STORE_SQL_RUN_FILTER) \
	X(RUN_QUEUED, "SELECT COUNT(*) FROM run WHERE state='queued'") \
	X(RUN_STATES, "SELECT state,COUNT(*) FROM run GROUP BY state") \
	X(RUN_POSITION, "SELECT COUNT(*) FROM run WHERE state='queued' AND seq<=?") \
	X(RUN_NEXT, "SELECT id FROM run WHERE state='queued' ORDER BY seq LIMIT 1") \
	X(RUN_IN_STATE, "SELECT id FROM run WHERE state=? ORDER BY seq LIMIT 1000") \
	X(RUN_MOVE, "UPDATE run SET state=?3,version=version+1,started_ms=CASE WHEN ?3='running' THEN ?4 WHEN ?3='queued' THEN NULL " \
		"ELSE started_ms END,finished_ms=CASE WHEN ?5 THEN ?4 ELSE NULL END WHERE id=?1 AND state=?2") \
	X(RUN_FINISH, "UPDATE run SET t_ms=?2,wall_s=?3,digest=?4,provenance=?5,counts=?6,metrics=?7,shape=?8,partial=?9,error=?10," \
		"log=?11,targets=?12,score=?13,remarks=?14 WHERE id=?1") \
	X(RUN_PATCH, "UPDATE run SET name=?2,tags=?3,notes=?4,keep_days=NULLIF(?5,0),pinned=?6,version=version+1 WHERE id=?1") \
	X(RUN_DELETE, "DELETE FROM run WHERE id=?") \
	X(RUN_EXPIRED, "SELECT id FROM run WHERE keep_days IS NOT NULL AND pinned=0 AND finished_ms IS NOT NULL" \
		" AND finished_ms+keep_days*86400000<=? LIMIT 1") \
	X(RUN_VERSION, "SELECT version FROM run WHERE id=?") \
	X(EVENT_ADD, "INSERT INTO event(topic,kind,created_ms,data) VALUES(?,?,?,?)") \
	X(EVENT_READ, "SELECT seq,kind,data FROM event WHERE topic=? AND seq>? ORDER BY seq LIMIT 100") \
	X(EVENT_LAST, "SELECT COALESCE(MAX(seq),0) FROM event WHERE topic=?") \
	X(EVENT_DROP, "DELETE FROM event WHERE topic=?") \
	X(TOKEN_ANY, "SELECT EXISTS(SELECT 1 FROM token)") \
	X(TOKEN_GET, "SELECT " STORE_SQL_TOKEN_COLUMNS " FROM token WHERE id=?") \
	X(TOKEN_LIST, "SELECT " STORE_SQL_TOKEN_COLUMNS " FROM token WHERE seq<? ORDER BY seq DESC LIMIT ?") \
	X(TOKEN_ADD, "INSERT INTO token(id,seq,name,sha256,scopes,created_ms,expires_ms,quota_runs,quota_sessions,quota_mb)" \
		" VALUES(?1,(SELECT COALESCE(MAX(seq),0)+1 FROM token),?2,?3,?4,?5,NULLIF(?6,0),NULLIF(?7,0),NULLIF(?8,0),NULLIF(?9,0))") \
	X(TOKEN_CHANGE, "UPDATE token SET name=?2,scopes=?3,expires_ms=NULLIF(?4,0),quota_runs=NULLIF(?5,0)," \
		"quota_sessions=NULLIF(?6,0),quota_mb=NULLIF(?7,0) WHERE id=?1 AND revoked_ms IS NULL") \
	X(TOKEN_REVOKE, "UPDATE token SET revoked_ms=?2 WHERE id=?1 AND revoked_ms IS NULL")
// clang-format on

enum store_sql {
#define X(name, sql) SQL_##name,
	STORE_SQL_RUN(X) STORE_SQL_RESULT(X) STORE_SQL_SESSION(X) STORE_SQL_SPACE(X)
		STORE_SQL_SWEEP(X) STORE_SQL_ONCE(X) STORE_SQL_HOOK(X)
#undef X
			SQL_N
};

#endif
