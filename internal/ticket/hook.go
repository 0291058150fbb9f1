package ticket

import (
	"context"
	"strconv"
	"syscall"
	"time"
)

// Hook posts signed JSON to one address. It is safe for concurrent use.
type Hook struct {
	url string
	key string
	web *web
	now func() time.Time
}

// NewHook makes a hook; what is wrong with the address or the key is a FieldError.
func NewHook(url, key string, opt Options) (*Hook, error) {
	c := Config{URL: url}
	if err := c.check(Webhook, key); err != nil {
		return nil, err
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return &Hook{url: url, key: key, web: newWeb(opt), now: opt.Now}, nil
}

// Post sends a body once, named by key, signed now. An answer that is no
// success is an Error.
func (h *Hook) Post(ctx context.Context, key, event string, body []byte) error {
	_, err := h.post(ctx, key, event, body)
	return err
}

func (h *Hook) post(ctx context.Context, key, event string, body []byte) (answer, error) {
	stamp := strconv.FormatInt(h.now().Unix(), 10)
	a, err := h.web.do(ctx, "POST", h.url, body, HeaderKey, key, HeaderTimestamp, stamp, HeaderSignature, Sign(h.key, stamp, body), HeaderEvent, event)
	if err != nil {
		return answer{}, err
	}
	if a.status < 200 || a.status > 299 {
		return answer{}, a.refused("The receiver", string(a.body))
	}
	return a, nil
}

// RefuseLinkLocal refuses addresses that only services of the machine's own
// surroundings have, as for all that this package sends.
func RefuseLinkLocal(network, address string) error {
	return refuseLinkLocal(network, address, syscall.RawConn(nil))
}
