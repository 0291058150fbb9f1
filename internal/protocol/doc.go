// Package protocol is what agent and server say to each other: messages, their
// frames, the limits on them, and the rules by which a certificate is an identity.
//
// An agent enrols once by POST EnrollPath (a token and a certificate signing
// request; no client certificate) and then holds one WebSocket on SessionPath,
// over TLS 1.3 with its device certificate. Who the agent is follows from that
// certificate alone (see PeerID); nothing in a message is ever identity.
//
// A session:
//
//	agent                                server
//	Hello (version, evidence, nonce) ─►
//	                                  ◄─ Welcome (new nonce, section hashes, last number, policy)
//	Kept (nonce is on disk)          ─►
//	Deliver (number, deltas)         ─►
//	                                  ◄─ Ack (number; what was rejected and why)
//	                                  ◄─ Resync (sections to send whole)
//	Seen (unchanged sections)        ─►
//	                                  ◄─ Ack (mark)
//	                                  ◄─ Nudge (collect now), Slow (pause), Renew, Fork
//	CSR (to renew, or to fork)       ─►
//	                                  ◄─ Certificate
//	                                  ◄─ Collect, Scan, Isolate, Release, Investigate, CancelTask
//	TaskState (begun, ended)         ─►
//	                                  ◄─ Ack (tasks)
//	Response (what changed of it)    ─►
//
// An Ack of a number means that everything up to it is durable on the server.
// Numbers rise; a number that the server has seen is acknowledged and ignored.
//
// Each message is one binary WebSocket message: one byte that names the coding
// (0 plain, 1 zstd), then one JSON object with exactly one field set.
package protocol
