-- 011_trace: the traceparent (W3C) of the request that began it, passed on to its process and to webhooks. Never edited once released.

ALTER TABLE run ADD COLUMN traceparent TEXT; -- NULL: the request had none
ALTER TABLE session ADD COLUMN traceparent TEXT;
ALTER TABLE sweep ADD COLUMN traceparent TEXT;
ALTER TABLE webhook_delivery ADD COLUMN traceparent TEXT;
