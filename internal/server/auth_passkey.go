package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
)

const (
	maxPasskeys   = 20
	maxCredential = 32 << 10 // bytes of what a browser answers
	passkeySlip   = "passkey"
	newKeySlip    = "new passkey"
)

// PasskeyRow is a passkey of the own account.
type PasskeyRow struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Created time.Time  `json:"created_at"`
	Used    *time.Time `json:"used_at,omitempty"`
	Synced  bool       `json:"synced" doc:"Its maker may copy it to other devices of its owner."`
	Doubt   bool       `json:"doubt" doc:"Its counter went backwards once: there may be a copy, and it is refused. Remove it."`
}

func passkeyRow(p store.Passkey) PasskeyRow {
	row := PasskeyRow{ID: base64.RawURLEncoding.EncodeToString(p.ID), Name: p.Name, Created: p.Created, Doubt: p.Doubt}
	if !p.Used.IsZero() {
		row.Used = &p.Used
	}
	var c webauthn.Credential
	if json.Unmarshal(p.Credential, &c) == nil {
		row.Synced = c.Flags.BackupEligible
	}
	return row
}

// Ceremony is what a browser is asked to do with a passkey.
type Ceremony struct {
	Ticket  string          `json:"ticket" doc:"To be sent with the answer; good for five minutes."`
	Options json.RawMessage `json:"options" doc:"As PublicKeyCredential.parseCreationOptionsFromJSON or parseRequestOptionsFromJSON takes it."`
}

// ceremonyNote is what a browser carries through a ceremony.
type ceremonyNote struct {
	Session webauthn.SessionData `json:"session"`
	Account int64                `json:"account,omitempty"`
	Step    string               `json:"step,omitempty"` // ticket of the first factor
}

// keyOwner is an account as the library wants it.
type keyOwner struct {
	who    store.Account
	handle []byte
	keys   []webauthn.Credential
}

func (k *keyOwner) WebAuthnID() []byte                         { return k.handle }
func (k *keyOwner) WebAuthnName() string                       { return k.who.Name }
func (k *keyOwner) WebAuthnDisplayName() string                { return k.who.Display }
func (k *keyOwner) WebAuthnCredentials() []webauthn.Credential { return k.keys }

// owner reads an account with its passkeys; those in doubt are left out.
func (a *Accounts) owner(ctx context.Context, who store.Account) (*keyOwner, error) {
	// The handle tells authenticators nothing about the account.
	handle := sha256.Sum256([]byte("picket account " + a.tenant + " " + strconv.FormatInt(who.ID, 10)))
	k := &keyOwner{who: who, handle: handle[:]}
	list, err := a.st.Passkeys(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		if p.Doubt {
			continue
		}
		var c webauthn.Credential
		if err := json.Unmarshal(p.Credential, &c); err != nil {
			return nil, fmt.Errorf("read passkey of account %d: %w", who.ID, err)
		}
		k.keys = append(k.keys, c)
	}
	return k, nil
}

// relying is who asks for passkeys: the configured public address or, without
// one, this machine under the name localhost. Whatever else a request calls
// the server is not believed.
func relying(from Place) (*webauthn.WebAuthn, error) {
	u, err := url.Parse(from.Base)
	if err != nil || u.Hostname() == "" {
		return nil, Invalidf("passkey", "the console has no address that passkeys could belong to")
	}
	host := strings.ToLower(u.Hostname())
	here := host == "localhost" || strings.HasSuffix(host, ".localhost")
	if !here && (!from.Public || u.Scheme != "https") {
		return nil, Invalidf("passkey", "passkeys belong to one address: start the server with --public-url https://…, or open the console as http://localhost on its own machine")
	}
	w, err := webauthn.New(&webauthn.Config{RPID: host, RPDisplayName: "Picket", RPOrigins: []string{u.Scheme + "://" + u.Host}})
	if err != nil {
		return nil, Invalidf("passkey", "passkeys cannot belong to the address %s: %v", from.Base, err)
	}
	return w, nil
}

// BeginPasskey starts to register a passkey for the caller.
func (a *Accounts) BeginPasskey(ctx context.Context, c Caller, password string, from Place) (Ceremony, error) {
	who, err := a.sure(ctx, c, password)
	if err != nil {
		return Ceremony{}, err
	}
	w, err := relying(from)
	if err != nil {
		return Ceremony{}, err
	}
	k, err := a.owner(ctx, who)
	if err != nil {
		return Ceremony{}, err
	}
	if len(k.keys) >= maxPasskeys {
		return Ceremony{}, fmt.Errorf("there are %d passkeys, which is the most: remove one first: %w", maxPasskeys, ErrConflict)
	}
	creation, session, err := w.BeginRegistration(k,
		webauthn.WithResidentKeyRequirement(protocol.ResidentKeyRequirementPreferred),
		webauthn.WithConveyancePreference(protocol.PreferNoAttestation),
		webauthn.WithExclusions(webauthn.Credentials(k.keys).CredentialDescriptors()))
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin passkey: %w", err)
	}
	return a.ceremony(newKeySlip, creation.Response, ceremonyNote{Session: *session, Account: who.ID})
}

func (a *Accounts) ceremony(kind string, options any, note ceremonyNote) (Ceremony, error) {
	raw, err := json.Marshal(options)
	if err != nil {
		return Ceremony{}, fmt.Errorf("encode %s: %w", kind, err)
	}
	ticket, err := a.writeSlip(kind, note)
	return Ceremony{Ticket: ticket, Options: raw}, err
}

// AddPasskey ends the registration with what the browser answered. Recovery
// codes are made when there are none yet.
func (a *Accounts) AddPasskey(ctx context.Context, c Caller, ticket, name string, answer json.RawMessage, from Place) (RecoverySet, error) {
	who, err := a.person(ctx, c)
	if err != nil {
		return RecoverySet{}, err
	}
	if name, err = passkeyName(name); err != nil {
		return RecoverySet{}, err
	}
	var note ceremonyNote
	if err := a.readSlip(newKeySlip, ticket, &note); err != nil || note.Account != who.ID {
		return RecoverySet{}, Invalidf("ticket", "is too old: begin again")
	}
	w, err := relying(from)
	if err != nil {
		return RecoverySet{}, err
	}
	k, err := a.owner(ctx, who)
	if err != nil {
		return RecoverySet{}, err
	}
	if len(answer) > maxCredential {
		return RecoverySet{}, Invalidf("credential", "has more than %d bytes", maxCredential)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return RecoverySet{}, Invalidf("credential", "is no passkey: %v", err)
	}
	made, err := w.CreateCredential(k, note.Session, parsed)
	if err != nil {
		return RecoverySet{}, Invalidf("credential", "does not hold: %v", err)
	}
	if !a.spendSlip(ticket) {
		return RecoverySet{}, Invalidf("ticket", "is spent: begin again")
	}
	raw, err := json.Marshal(made)
	if err != nil {
		return RecoverySet{}, fmt.Errorf("encode passkey: %w", err)
	}
	audit.Change(ctx, who.Name, nil, map[string]any{"factor": "passkey", "name": name})
	err = a.st.AddPasskey(ctx, store.Passkey{ID: made.ID, Account: who.ID, Name: name, Credential: raw, Created: a.now()})
	if errors.Is(err, store.ErrNotFound) {
		return RecoverySet{}, fmt.Errorf("this passkey is registered already: %w", ErrConflict)
	}
	if err != nil {
		return RecoverySet{}, err
	}
	a.log.InfoContext(ctx, "passkey registered", "user", who.Name)
	return a.firstRecovery(ctx, who)
}

func passkeyName(name string) (string, error) {
	name = strings.TrimSpace(cutText(name, 100))
	if name == "" {
		return "", Invalidf("name", "must have 1 to 100 characters, such as the device that holds the passkey")
	}
	return name, nil
}

// RenamePasskey names one of the caller's passkeys.
func (a *Accounts) RenamePasskey(ctx context.Context, c Caller, id, name string) error {
	who, err := a.person(ctx, c)
	if err != nil {
		return err
	}
	if name, err = passkeyName(name); err != nil {
		return err
	}
	raw, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		return ErrNotFound
	}
	keys, err := a.st.Passkeys(ctx, who.ID)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if bytes.Equal(k.ID, raw) {
			audit.Change(ctx, who.Name, map[string]any{"passkey": k.Name}, map[string]any{"passkey": name})
		}
	}
	return notFound(a.st.RenamePasskey(ctx, who.ID, raw, name))
}

// RemovePasskey removes one of the caller's passkeys.
func (a *Accounts) RemovePasskey(ctx context.Context, c Caller, id, password string) error {
	who, err := a.sure(ctx, c, password)
	if err != nil {
		return err
	}
	raw, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		return ErrNotFound
	}
	audit.Change(ctx, who.Name, map[string]any{"factor": "passkey", "id": id}, nil)
	return notFound(a.st.DeletePasskey(ctx, who.ID, raw))
}

// AskPasskey starts a sign-in by passkey: as the only factor, the user then
// verified by the authenticator, or as the second one after step, the ticket
// of the first.
func (a *Accounts) AskPasskey(ctx context.Context, step string, from Place) (Ceremony, error) {
	w, err := relying(from)
	if err != nil {
		return Ceremony{}, err
	}
	if step == "" {
		ask, session, err := w.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
		if err != nil {
			return Ceremony{}, fmt.Errorf("begin sign-in by passkey: %w", err)
		}
		return a.ceremony(passkeySlip, ask.Response, ceremonyNote{Session: *session})
	}
	who, _, err := a.stepAccount(ctx, step)
	if err != nil {
		return Ceremony{}, err
	}
	k, err := a.owner(ctx, who)
	if err != nil {
		return Ceremony{}, err
	}
	if len(k.keys) == 0 {
		return Ceremony{}, fmt.Errorf("this account has no passkey that may be used: %w", ErrConflict)
	}
	ask, session, err := w.BeginLogin(k, webauthn.WithUserVerification(protocol.VerificationDiscouraged))
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin sign-in by passkey: %w", err)
	}
	return a.ceremony(passkeySlip, ask.Response, ceremonyNote{Session: *session, Account: who.ID, Step: step})
}

// PasskeySignIn ends a sign-in by passkey. Whatever does not hold is
// ErrUnauthenticated. A counter that went backwards puts the passkey in doubt:
// it is refused from then on.
func (a *Accounts) PasskeySignIn(ctx context.Context, ticket string, answer json.RawMessage, from Place) (SignedIn, error) {
	w, err := relying(from)
	if err != nil {
		return SignedIn{}, err
	}
	if err := a.remote.attempt(addressKey(from.Remote), a.now()); err != nil {
		return SignedIn{}, err
	}
	var note ceremonyNote
	if err := a.readSlip(passkeySlip, ticket, &note); err != nil || len(answer) > maxCredential {
		return SignedIn{}, errors.Join(ErrUnauthenticated, err)
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return SignedIn{}, ErrUnauthenticated
	}
	k, used, method, err := a.checkPasskey(ctx, w, note, parsed)
	if k != nil {
		actor(ctx, audit.Nobody, k.who.Name, "")
	}
	if err != nil {
		if errors.Is(err, ErrUnauthenticated) {
			a.log.WarnContext(ctx, "passkey refused", "remote", from.Remote, "error", err)
		}
		return SignedIn{}, err
	}
	if !a.spendSlip(ticket) || note.Step != "" && !a.spendSlip(note.Step) {
		return SignedIn{}, ErrUnauthenticated
	}
	if err := a.notePasskey(ctx, k.who, used); err != nil {
		return SignedIn{}, err
	}
	if note.Step == "" {
		if err := a.localAllowed(ctx, k.who); err != nil {
			return SignedIn{}, err
		}
	}
	a.factors.clear(k.who.Name)
	return a.admit(ctx, k.who, method, true, from)
}

// checkPasskey verifies what an authenticator signed and says whose it is.
func (a *Accounts) checkPasskey(ctx context.Context, w *webauthn.WebAuthn, note ceremonyNote, parsed *protocol.ParsedCredentialAssertionData) (*keyOwner, *webauthn.Credential, string, error) {
	if note.Step != "" {
		who, step, err := a.stepAccount(ctx, note.Step)
		if err != nil {
			return nil, nil, "", err
		}
		k, err := a.owner(ctx, who)
		if err != nil {
			return nil, nil, "", err
		}
		if err := a.factors.attempt(who.Name, a.now()); err != nil {
			return k, nil, "", err
		}
		used, err := w.ValidateLogin(k, note.Session, parsed)
		if err != nil {
			return k, nil, "", fmt.Errorf("%w: %w", ErrUnauthenticated, err)
		}
		return k, used, step.Method + " and " + byPasskey, nil
	}
	var k *keyOwner
	_, used, err := w.ValidatePasskeyLogin(func(id, _ []byte) (webauthn.User, error) {
		p, err := a.st.PasskeyByID(ctx, id)
		if err != nil {
			return nil, err
		}
		who, err := a.st.AccountByID(ctx, p.Account)
		if err != nil || !who.Disabled.IsZero() {
			return nil, errors.Join(ErrUnauthenticated, err)
		}
		owner, err := a.owner(ctx, who)
		k = owner
		return owner, err
	}, note.Session, parsed)
	if err != nil {
		return k, nil, "", fmt.Errorf("%w: %w", ErrUnauthenticated, err)
	}
	return k, used, byPasskey, nil
}

// notePasskey stores the counters of a passkey that was used.
func (a *Accounts) notePasskey(ctx context.Context, who store.Account, used *webauthn.Credential) error {
	raw, err := json.Marshal(used)
	if err != nil {
		return fmt.Errorf("encode passkey: %w", err)
	}
	doubt := used.Authenticator.CloneWarning
	if doubt {
		audit.Change(ctx, who.Name, nil, map[string]any{"passkey": "refused: its counter went backwards, there may be a copy"})
	}
	// The sign-in itself is what the audit log tells, unless it fails here.
	quiet := audit.With(ctx, nil)
	if err := a.st.UsePasskey(quiet, store.Passkey{ID: bytes.Clone(used.ID), Account: who.ID, Credential: raw, Doubt: doubt, Used: a.now()}); err != nil {
		return notFound(err)
	}
	if doubt {
		a.log.WarnContext(ctx, "passkey refused: its counter went backwards", "user", who.Name)
		return ErrUnauthenticated
	}
	return nil
}
