// Package ticket hands remediation work to other systems: a signed webhook,
// e-mail, Jira, GitHub issues and ServiceNow. It speaks their protocols and
// keeps nothing.
//
//	c, err := ticket.New(ticket.Jira, config, secret, ticket.Options{})
//	ref, err := c.Send(ctx, message)
//	state, err := c.State(ctx, ref.ID, etag)
//
// Sending twice makes one ticket as far as the protocol allows: a message has a
// key, and one that may have been sent before (Message.Again) is looked for
// before it is made.
package ticket

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Kind is a kind of destination.
type Kind string

// The kinds of destinations.
const (
	Webhook    Kind = "webhook"
	Email      Kind = "email"
	Jira       Kind = "jira"
	GitHub     Kind = "github"
	ServiceNow Kind = "servicenow"
)

// Kinds are all kinds, in the order in which they are offered.
var Kinds = []Kind{Webhook, Email, Jira, GitHub, ServiceNow}

// Config is how a destination is reached. Nothing in it is secret: the key of a
// webhook, passwords and tokens travel beside it.
type Config struct {
	URL     string   `json:"url,omitempty"`     // webhook: where to post; jira, servicenow: base address; github: of the API
	User    string   `json:"user,omitempty"`    // email, servicenow: user; jira: account of an API token, empty for a personal access token
	Project string   `json:"project,omitempty"` // jira: project key; github: owner/repository; servicenow: table
	Issue   string   `json:"issue,omitempty"`   // jira: issue type
	API     string   `json:"api,omitempty"`     // jira: "2" or "3"
	Labels  []string `json:"labels,omitempty"`  // jira, github
	Host    string   `json:"host,omitempty"`    // email: server
	Port    int      `json:"port,omitempty"`    // email
	TLS     string   `json:"tls,omitempty"`     // email: starttls, tls, none
	From    string   `json:"from,omitempty"`    // email
	To      []string `json:"to,omitempty"`      // email
}

// Message is what goes out about an activity.
type Message struct {
	Key         string    `json:"key"`    // names this message for ever: 32 hexadecimal digits
	Thread      string    `json:"thread"` // key of the first message of the activity to the same destination
	Event       string    `json:"event"`  // created, completed, reopened, test
	ID          string    `json:"id"`     // of the activity
	Title       string    `json:"title"`
	Description string    `json:"description"`
	Steps       []string  `json:"steps"`
	Type        string    `json:"type"`
	Component   string    `json:"component"`
	Priority    string    `json:"priority"` // High, Medium, Low
	Due         time.Time `json:"due,omitzero"`
	Notes       string    `json:"notes"`
	By          string    `json:"by"`      // who did what the event says
	Targets     int       `json:"targets"` // devices
	Fixed       int       `json:"fixed"`   // of those, at the time of the event
	Link        string    `json:"link"`    // to the activity on the console, "" when its address is not known
	At          time.Time `json:"at"`      // of the event

	// Ticket is the ticket of the thread at its receiver: a tracker is told there,
	// in a comment, what became of the activity.
	Ticket string `json:"-"`

	Again time.Time `json:"-"` // when an earlier attempt began that may have got through; zero: there was none
}

// Ref is a ticket at its receiver.
type Ref struct {
	ID  string
	URL string // for people, "" when there is none
	// Phase and Word are its state where the receiver tells it at once.
	Phase Phase
	Word  string
}

// Phase is how far a ticket is.
type Phase string

// The phases of tickets. Unknown is for receivers that tell no state.
const (
	Unknown    Phase = ""
	Open       Phase = "open"
	InProgress Phase = "in progress"
	Closed     Phase = "closed"
)

// State is what a receiver says of a ticket.
type State struct {
	Phase Phase
	Word  string // the receiver's own word
	ETag  string // for the next question
	Same  bool   // nothing changed since the ETag that was given; the other fields are empty
}

// ErrNoState says that tickets of this kind have no state to ask for.
var ErrNoState = errors.New("this kind of destination tells no state")

// Error says what did not work and how to mend it, for people.
type Error struct {
	What  string
	Mend  string
	After time.Duration // the receiver asks to wait for this long
}

// Error is what did not work.
func (e *Error) Error() string { return e.What }

// Destination is one configured receiver. It is safe for concurrent use.
type Destination interface {
	// Send makes the ticket, comments on it or sends the message, once for each
	// key as far as the protocol allows.
	Send(ctx context.Context, m *Message) (Ref, error)
	// State asks for a ticket's state; etag is that of the last answer, or "".
	State(ctx context.Context, id, etag string) (State, error)
	// Test shows that the settings are right without making a ticket where the
	// receiver has a way to tell; a webhook and a mail server get a test message.
	Test(ctx context.Context, m *Message) error
}

// Options are what may differ between installations.
type Options struct {
	Roots *x509.CertPool                        // authorities to trust; nil: the system's
	Proxy func(*http.Request) (*url.URL, error) // nil: none
	Now   func() time.Time                      // nil: time.Now
}

// New makes a destination. It fails with an Error that names the field when
// settings are missing or wrong.
func New(k Kind, c Config, secret string, opt Options) (Destination, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if err := c.check(k, secret); err != nil {
		return nil, err
	}
	base := strings.TrimRight(c.URL, "/")
	switch k {
	case Webhook:
		return &webhook{Hook{url: c.URL, key: secret, web: newWeb(opt), now: opt.Now}}, nil
	case Email:
		return &mailer{c: c, password: secret, roots: opt.Roots}, nil
	case Jira:
		return &jira{base: base, c: c, web: newWeb(opt, jiraAuth(c.User, secret))}, nil
	case GitHub:
		return &github{base: base, c: c, web: newWeb(opt, bearer(secret))}, nil
	}
	return &serviceNow{base: base, c: c, web: newWeb(opt, jiraAuth(c.User, secret))}, nil
}

// FieldError names the setting that is wrong.
type FieldError struct{ Field, Message string }

// Error is "field: message".
func (e *FieldError) Error() string { return e.Field + ": " + e.Message }

func wrong(field, format string, args ...any) error {
	return &FieldError{Field: field, Message: fmt.Sprintf(format, args...)}
}

// check refuses settings that cannot work.
func (c *Config) check(k Kind, secret string) error {
	for _, t := range append(append([]string{c.URL, c.User, c.Project, c.Issue, c.Host, c.From, secret}, c.Labels...), c.To...) {
		if len(t) > 2000 || strings.ContainsAny(t, "\r\n\x00") {
			return wrong("config", "a setting is longer than 2000 characters or has a line break")
		}
	}
	if k != Email {
		u, err := url.Parse(c.URL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Fragment != "" {
			return wrong("url", "%q is not an address like https://tickets.example.org", c.URL)
		}
		if u.Scheme == "http" && !loopback(u.Hostname()) {
			return wrong("url", "must begin with https://: what is sent would be readable on the way (http:// is allowed to this machine alone)")
		}
		if k != Webhook && u.RawQuery != "" {
			return wrong("url", "is a base address: leave out what follows the question mark")
		}
	}
	switch k {
	case Webhook:
		if len(secret) < 16 {
			return wrong("secret", "must have at least 16 characters: the receiver proves with it that a message is from here")
		}
	case Email:
		return c.checkMail(secret)
	case Jira:
		if c.Project == "" || strings.ContainsAny(c.Project, " /\"") {
			return wrong("project", "must be the key of a project, like SEC")
		}
		if c.Issue == "" {
			return wrong("issue", "must name an issue type of the project, like Task")
		}
		if c.API != "2" && c.API != "3" {
			return wrong("api", "must be 3 (Jira Cloud) or 2 (Jira Server and Data Center)")
		}
		if c.API == "3" && c.User == "" {
			return wrong("user", "must be the e-mail address that the API token belongs to")
		}
	case GitHub:
		owner, repo, ok := strings.Cut(c.Project, "/")
		if !ok || owner == "" || repo == "" || strings.ContainsAny(c.Project, " ?#%\\") || strings.Contains(repo, "/") || repo == ".." || owner == ".." {
			return wrong("project", "must be a repository as owner/name")
		}
	case ServiceNow:
		if c.Project == "" || strings.Trim(c.Project, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return wrong("project", "must be the name of a table, like incident")
		}
		if c.User == "" {
			return wrong("user", "must be the user that the password belongs to")
		}
	default:
		return wrong("kind", "%q is not one of webhook, email, jira, github, servicenow", k)
	}
	if secret == "" {
		return wrong("secret", "is missing: enter the token or password")
	}
	for _, l := range c.Labels {
		if l == "" || k == Jira && strings.ContainsAny(l, " ") {
			return wrong("labels", "%q cannot be a label", l)
		}
	}
	return nil
}

// PollsState reports whether tickets of this kind have a state to ask for.
func (k Kind) PollsState() bool { return k == Jira || k == GitHub || k == ServiceNow }

// fullTitle is the title of a ticket.
func (m *Message) fullTitle() string {
	switch m.Event {
	case "completed":
		return "Completed: " + m.Title
	case "reopened":
		return "Re-opened: " + m.Title
	case "test":
		return "Test of Picket's ticketing"
	}
	return m.Title
}

// text is the body of a ticket as plain paragraphs.
func (m *Message) text() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	switch m.Event {
	case "completed":
		line("This remediation is completed (%s). Fixed devices: %d of %d.", m.By, m.Fixed, m.Targets)
	case "reopened":
		line("This remediation is active again (%s). Fixed devices: %d of %d.", m.By, m.Fixed, m.Targets)
	case "test":
		line("This message shows that Picket reaches you. There is nothing to do.")
	default:
		line("%s", m.Description)
	}
	line("")
	if m.Event != "test" {
		line("Component: %s", m.Component)
		line("Priority: %s", m.Priority)
		if !m.Due.IsZero() {
			line("Due: %s", m.Due.UTC().Format("2006-01-02"))
		}
		line("Devices: %d", m.Targets)
		if !m.follows() { // By is then who completed or re-opened it
			line("Requested by: %s", m.By)
		}
	}
	if m.Link != "" {
		line("In Picket: %s", m.Link)
	}
	if m.Event == "created" {
		if len(m.Steps) > 0 {
			line("\nWhat to do:")
		}
		for i, s := range m.Steps {
			line("%d. %s", i+1, s)
		}
		if m.Notes != "" {
			line("\nNotes:\n%s", m.Notes)
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// cut shortens a text to n bytes, on one line.
func cut(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= n {
		return s
	}
	for n -= 4; n > 0 && s[n]&0xC0 == 0x80; n-- { // not inside a rune
	}
	return s[:n] + " …"
}
