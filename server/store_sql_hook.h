/* store_sql_hook.h - the statements about webhooks; see store_sql.h. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STORE_SQL_HOOK_H
#define SERVER_STORE_SQL_HOOK_H

// clang-format off
#define STORE_SQL_HOOK_COLUMNS "id,seq,owner,name,url,events,secret,active,created_ms"
#define STORE_SQL_DELIVERY_COLUMNS \
	"d.id,d.seq,d.webhook_id,d.event,d.body,d.state,d.created_ms,d.next_ms,d.ended_ms,d.attempts,d.status,d.duration_ms,d.error,d.traceparent"
/* A row for every webhook that wants event ?2 of something owned by x.owner; a deaf one is not told more and more. */
#define STORE_SQL_HOOK_TELL(body) \
	"INSERT INTO webhook_delivery(id,webhook_id,event,body,created_ms,next_ms,traceparent)" \
	" SELECT lower(hex(randomblob(16))),w.id,?2,json_object('event',?2,'at',?3," body "),?4,?4,x.traceparent" \
	" FROM x JOIN webhook w ON w.active=1 AND (x.owner IS NULL OR x.owner=w.owner)" \
	" AND EXISTS(SELECT 1 FROM json_each(w.events) WHERE ?2 GLOB value)" \
	" WHERE (SELECT COUNT(*) FROM webhook_delivery d WHERE d.webhook_id=w.id AND d.next_ms IS NOT NULL)<10000"
#define STORE_SQL_JSON(column) "CASE WHEN json_valid(" column ") THEN json(" column ") END"

/* name, SQL */
#define STORE_SQL_HOOK(X) \
	X(HOOK_ADD, "INSERT INTO webhook(id,seq,owner,name,url,events,secret,active,created_ms)" \
		" VALUES(?1,(SELECT COALESCE(MAX(seq),0)+1 FROM webhook),?2,?3,?4,?5,?6,?7,?8)") \
	X(HOOK_GET, "SELECT " STORE_SQL_HOOK_COLUMNS " FROM webhook WHERE id=?") \
	X(HOOK_LIST, "SELECT " STORE_SQL_HOOK_COLUMNS " FROM webhook WHERE seq<?1 AND (?2 IS NULL OR owner IS NULL OR owner=?2)" \
		" ORDER BY seq DESC LIMIT ?3") \
	X(HOOK_COUNT, "SELECT COUNT(*) FROM webhook") \
	X(HOOK_CHANGE, "UPDATE webhook SET name=?2,url=?3,events=?4,active=?5 WHERE id=?1") \
	X(HOOK_DELETE, "DELETE FROM webhook WHERE id=?") \
	X(HOOK_TELL_RUN, "WITH x AS (SELECT * FROM run WHERE id=?1) " STORE_SQL_HOOK_TELL( \
		"'run',json_object('id',x.id,'state',x.state,'name',x.name,'tags'," STORE_SQL_JSON("x.tags") ",'preset',x.preset," \
		"'experiment',x.experiment,'spec_sha256',x.spec_sha256,'seed',x.seed,'digest',x.digest," \
		"'metrics'," STORE_SQL_JSON("x.metrics") ",'error'," STORE_SQL_JSON("x.error") ",'self','/v1/runs/'||x.id)")) \
	X(HOOK_TELL_SESSION, "WITH x AS (SELECT * FROM session WHERE id=?1) " STORE_SQL_HOOK_TELL( \
		"'session',json_object('id',x.id,'state',x.state,'name',x.name,'t_ms',x.t_ms,'error'," STORE_SQL_JSON("x.error") \
		",'self','/v1/sessions/'||x.id)")) \
	X(HOOK_TELL_SWEEP, "WITH x AS (SELECT * FROM sweep WHERE id=?1) " STORE_SQL_HOOK_TELL( \
		"'sweep',json_object('id',x.id,'state',x.state,'name',x.name,'tags'," STORE_SQL_JSON("x.tags") ",'points',x.points," \
		"'self','/v1/sweeps/'||x.id)")) \
	X(HOOK_TEST, "INSERT INTO webhook_delivery(id,webhook_id,event,body,created_ms,next_ms,traceparent)" \
		" SELECT ?2,id,'test',json_object('event','test','at',?3,'webhook',json_object('id',id,'name',name)),?4,?4,?5 FROM webhook WHERE id=?1") \
	X(HOOK_DELIVERIES, "SELECT " STORE_SQL_DELIVERY_COLUMNS " FROM webhook_delivery d WHERE d.webhook_id=?1 AND d.seq<?2" \
		" AND (?3 IS NULL OR d.state=?3) ORDER BY d.seq DESC LIMIT ?4") \
	X(HOOK_DELIVERY, "SELECT " STORE_SQL_DELIVERY_COLUMNS " FROM webhook_delivery d WHERE d.id=?") \
	/* The first ?3 of each webhook; what is far in the future was set by a clock that went back since. */ \
	X(HOOK_DUE, "SELECT " STORE_SQL_DELIVERY_COLUMNS ",w.url,w.secret FROM (SELECT *,ROW_NUMBER() OVER (PARTITION BY webhook_id" \
		" ORDER BY next_ms,seq) AS place FROM webhook_delivery WHERE next_ms IS NOT NULL AND (next_ms<=?1 OR next_ms>?2)) d" \
		" JOIN webhook w ON w.id=d.webhook_id WHERE d.place<=?3 ORDER BY d.next_ms,d.seq LIMIT ?4") \
	X(HOOK_NEXT, "SELECT MIN(next_ms) FROM webhook_delivery WHERE next_ms>?1") \
	X(HOOK_TRIED, "UPDATE webhook_delivery SET attempts=attempts+1,state=?2,next_ms=NULLIF(?3,0),status=NULLIF(?4,0),duration_ms=?5," \
		"error=?6,ended_ms=CASE WHEN ?3=0 THEN ?7 END WHERE id=?1") \
	X(HOOK_FORGET, "DELETE FROM webhook_delivery WHERE webhook_id=(SELECT webhook_id FROM webhook_delivery WHERE id=?1)" \
		" AND next_ms IS NULL AND seq<=(SELECT seq FROM webhook_delivery WHERE webhook_id=(SELECT webhook_id FROM webhook_delivery" \
		" WHERE id=?1) ORDER BY seq DESC LIMIT 1 OFFSET 1000)")
// clang-format on

#endif
