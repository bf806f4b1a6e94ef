/* store_sql_once.h - the statements about Idempotency-Keys; see store_sql.h. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STORE_SQL_ONCE_H
#define SERVER_STORE_SQL_ONCE_H

// clang-format off
/* name, SQL; the states are those of enum store_once_state */
#define STORE_SQL_ONCE(X) \
	X(ONCE_GET, "SELECT request_sha256,state,effect,note,status,location,body FROM once WHERE owner=? AND key=?") \
	X(ONCE_ADD, "INSERT INTO once(owner,key,request_sha256,state,created_ms) VALUES(?,?,?,?,?)") \
	X(ONCE_STATE, "UPDATE once SET state=?3,note=?4 WHERE owner=?1 AND key=?2 AND state=?5") \
	X(ONCE_EFFECT, "UPDATE once SET effect=?3,state=COALESCE(NULLIF(?4,0),state) WHERE owner=?1 AND key=?2") \
	X(ONCE_DONE, "UPDATE once SET state=?3,status=?4,location=?5,body=?6 WHERE owner=?1 AND key=?2 AND state!=?3") \
	X(ONCE_DROP, "DELETE FROM once WHERE owner=? AND key=? AND state=?") \
	X(ONCE_RESTART, "UPDATE once SET state=?1,note=effect WHERE state IN(?2,?3)") \
	X(ONCE_EXPIRE, "DELETE FROM once WHERE created_ms<=?")
// clang-format on

#endif
