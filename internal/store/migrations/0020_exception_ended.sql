-- Lists page the exceptions that are over, newest first.
CREATE INDEX exception_ended ON exception (id) WHERE ended <> 0;
CREATE INDEX exception_open ON exception (id) WHERE ended = 0;
