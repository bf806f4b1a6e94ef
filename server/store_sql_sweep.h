/* store_sql_sweep.h - the statements about sweeps; see store_sql.h. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STORE_SQL_SWEEP_H
#define SERVER_STORE_SQL_SWEEP_H

// clang-format off
#define STORE_SQL_SWEEP_COLUMNS \
	"id,seq,version,state,name,tags,notes,owner,preset,experiment,axes,seeds,metric,goal,threads,keep_days,reuse," \
	"quota_runs,quota_mb,points,next_point,created_ms,finished_ms,traceparent"
/* Its runs that have not ended. */
#define STORE_SQL_SWEEP_LIVE "state IN ('queued','running','cancelling','interrupted')"

/* name, SQL */
#define STORE_SQL_SWEEP(X) \
	X(SWEEP_INSERT, "INSERT INTO sweep(id,seq,state,name,tags,notes,owner,preset,experiment,spec,axes,seeds,metric,goal,threads," \
		"keep_days,reuse,quota_runs,quota_mb,points,created_ms,traceparent) VALUES(?1,(SELECT COALESCE(MAX(seq),0)+1 FROM sweep),'running'," \
		"?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20)") \
	X(SWEEP_GET, "SELECT " STORE_SQL_SWEEP_COLUMNS " FROM sweep WHERE id=?") \
	X(SWEEP_SPEC, "SELECT spec FROM sweep WHERE id=?") \
	X(SWEEP_LIST, "SELECT " STORE_SQL_SWEEP_COLUMNS " FROM sweep WHERE seq<?1 AND (?2 IS NULL OR state=?2)" \
		" AND (?3 IS NULL OR owner IS NULL OR owner=?3) AND (?4 IS NULL OR EXISTS(SELECT 1 FROM json_each(tags) WHERE value=?4))" \
		" AND (?5 IS NULL OR instr(lower(name||' '||tags||' '||COALESCE(preset,'')||' '||COALESCE(experiment,'')||' '||id),lower(?5)))" \
		" ORDER BY seq DESC LIMIT ?6") \
	X(SWEEP_ACTIVE, "SELECT " STORE_SQL_SWEEP_COLUMNS " FROM sweep WHERE state IN ('running','cancelling') ORDER BY seq LIMIT 1000") \
	X(SWEEP_COUNT, "SELECT state,COUNT(*) FROM run WHERE sweep=? AND " STORE_SQL_SWEEP_LIVE " GROUP BY state") \
	X(SWEEP_LIVE, "SELECT id,state FROM run WHERE sweep=? AND " STORE_SQL_SWEEP_LIVE) \
	X(SWEEP_STATES, "SELECT r.state,COUNT(*),SUM(p.reused) FROM sweep_point p LEFT JOIN run r ON r.id=p.run_id WHERE p.sweep_id=? GROUP BY r.state") \
	X(SWEEP_POINTS, "SELECT p.point,p.run_id,p.reused,r.state,r.metrics,r.score,r.digest,r.wall_s FROM sweep_point p" \
		" LEFT JOIN run r ON r.id=p.run_id WHERE p.sweep_id=? ORDER BY p.point") \
	X(SWEEP_SCORED, "SELECT r.score FROM sweep_point p JOIN run r ON r.id=p.run_id WHERE p.sweep_id=? AND r.state='succeeded'" \
		" AND json_extract(r.score,'$.name') IS NOT NULL ORDER BY p.point LIMIT 1") \
	X(SWEEP_VALUES, "SELECT p.point,p.run_id,COALESCE(json_extract(r.metrics,?2)," \
		"CASE WHEN json_extract(r.score,'$.name')=?3 THEN json_extract(r.score,'$.value') END) FROM sweep_point p" \
		" JOIN run r ON r.id=p.run_id WHERE p.sweep_id=?1 AND r.state='succeeded' ORDER BY p.point") \
	X(SWEEP_NEXT, "UPDATE sweep SET next_point=next_point+1 WHERE id=?1 AND next_point=?2 AND state='running'") \
	X(SWEEP_POINT_ADD, "INSERT INTO sweep_point(sweep_id,point,run_id,reused) VALUES(?,?,?,?)") \
	X(SWEEP_MOVE, "UPDATE sweep SET state=?3,version=version+1,finished_ms=?4 WHERE id=?1 AND state=?2") \
	X(SWEEP_RUNS, "SELECT id FROM run WHERE sweep=?1 AND pinned=0 LIMIT 1") \
	X(SWEEP_RELEASE, "UPDATE run SET sweep=NULL,version=version+1 WHERE sweep=?") \
	X(SWEEP_DELETE, "DELETE FROM sweep WHERE id=?")
// clang-format on

#endif
