package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
)

// One-time codes are those of RFC 6238 as every authenticator app makes them:
// SHA-1, six digits, steps of 30 seconds; a step before and after is accepted.
const (
	codeStep      = 30
	codeSkew      = 1
	recoveryCodes = 10
	freshFor      = 15 * time.Minute // a session this young may change factors without the password
)

// codeOf is the code of a step (RFC 4226, section 5.3; RFC 6238, section 4.2).
func codeOf(secret []byte, step int64) string {
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(step))
	h := hmac.New(sha1.New, secret)
	_, _ = h.Write(at[:]) // a hash takes everything
	sum := h.Sum(nil)
	i := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[i:])&0x7fffffff%1_000_000)
}

var base32Plain = base32.StdEncoding.WithPadding(base32.NoPadding)

// Factors are the second factors of the own account.
type Factors struct {
	Code     bool         `json:"code" doc:"One-time codes of an authenticator app are set up."`
	CodeAt   *time.Time   `json:"code_at,omitempty"`
	Recovery int          `json:"recovery_left" doc:"Recovery codes that were not used yet."`
	Passkeys []PasskeyRow `json:"passkeys"`
	Required bool         `json:"required" doc:"The policy asks this account for a second factor."`
	Ask      bool         `json:"ask_password" doc:"The password is asked for before factors are changed, because this session is older than 15 minutes."`
}

// NewCode is what an authenticator app needs; it is shown once.
type NewCode struct {
	Secret  string `json:"secret" doc:"In base32, to be typed."`
	Address string `json:"address" doc:"otpauth://…, to be shown as a QR code."`
}

// RecoverySet are fresh recovery codes; they are shown once.
type RecoverySet struct {
	Codes []string `json:"codes"`
}

// OwnFactors tells the caller's second factors.
func (a *Accounts) OwnFactors(ctx context.Context, c Caller) (Factors, error) {
	who, err := a.person(ctx, c)
	if err != nil {
		return Factors{}, err
	}
	f := Factors{Passkeys: []PasskeyRow{}}
	switch t, err := a.st.TOTPOf(ctx, who.ID); {
	case err == nil && t.Step > 0:
		f.Code, f.CodeAt = true, &t.Created
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return Factors{}, err
	}
	if f.Recovery, err = a.st.RecoveryCodes(ctx, who.ID); err != nil {
		return Factors{}, err
	}
	keys, err := a.st.Passkeys(ctx, who.ID)
	if err != nil {
		return Factors{}, err
	}
	for _, k := range keys {
		f.Passkeys = append(f.Passkeys, passkeyRow(k))
	}
	n, _, err := a.st.SessionByHash(ctx, []byte(c.session))
	if err != nil {
		return Factors{}, notFound(err)
	}
	f.Ask = a.now().Sub(n.Created) >= freshFor
	policy := a.policy.Load()
	f.Required = policy.SecondFactor != factorOptional
	if policy.SecondFactor == factorRoles {
		if f.Required, err = a.inRoles(ctx, who, policy.Roles); err != nil {
			return Factors{}, err
		}
	}
	return f, nil
}

// sure asks for proof that the person of a session is there before factors
// change: the session is young, or the password is right.
func (a *Accounts) sure(ctx context.Context, c Caller, password string) (store.Account, error) {
	who, err := a.person(ctx, c)
	if err != nil {
		return who, err
	}
	if err := a.ownOnly(ctx, who); err != nil {
		return who, err
	}
	n, _, err := a.st.SessionByHash(ctx, []byte(c.session))
	if err != nil {
		return who, notFound(err)
	}
	if a.now().Sub(n.Created) < freshFor {
		return who, nil
	}
	if who.Password == "" {
		return who, Invalidf("password", "this account has no password: sign out and in again, then change factors within 15 minutes")
	}
	if password == "" {
		return who, Invalidf("password", "is needed, because you signed in more than 15 minutes ago")
	}
	if err := a.users.attempt(who.Name, a.now()); err != nil {
		return who, err
	}
	ok, err := a.checkPassword(ctx, who.Password, password)
	if err != nil {
		return who, err
	}
	if !ok {
		return who, Invalidf("password", "is not the current password")
	}
	a.users.clear(who.Name)
	return who, nil
}

// BeginCode makes a secret for an authenticator app. It asks nobody for codes
// until ConfirmCode has seen one; a secret that is in use must be removed first.
func (a *Accounts) BeginCode(ctx context.Context, c Caller, password string) (NewCode, error) {
	who, err := a.sure(ctx, c, password)
	if err != nil {
		return NewCode{}, err
	}
	if t, err := a.st.TOTPOf(ctx, who.ID); err == nil && t.Step > 0 {
		return NewCode{}, fmt.Errorf("one-time codes are set up already: remove them first: %w", ErrConflict)
	}
	secret := base32Plain.EncodeToString(randomBytes(20))
	sealed, err := a.vault.seal(codeName(who.ID), secret)
	if err != nil {
		return NewCode{}, fmt.Errorf("seal secret of codes: %w", err)
	}
	if err := a.st.PutTOTP(ctx, who.ID, store.TOTP{Secret: sealed, Created: a.now()}); err != nil {
		return NewCode{}, err
	}
	address := "otpauth://totp/Picket:" + url.PathEscape(who.Name) + "?secret=" + secret + "&issuer=Picket&algorithm=SHA1&digits=6&period=30"
	return NewCode{Secret: secret, Address: address}, nil
}

func codeName(account int64) string { return fmt.Sprintf("totp:%d", account) }

// ConfirmCode takes the secret into use with a first code from the app. Recovery
// codes are made when there are none yet.
func (a *Accounts) ConfirmCode(ctx context.Context, c Caller, code string) (RecoverySet, error) {
	who, err := a.person(ctx, c)
	if err != nil {
		return RecoverySet{}, err
	}
	if t, err := a.st.TOTPOf(ctx, who.ID); err != nil || t.Step > 0 {
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return RecoverySet{}, err
		}
		return RecoverySet{}, Invalidf("code", "has no secret that waits for it: begin again")
	}
	if err := a.factors.attempt(who.Name, a.now()); err != nil {
		return RecoverySet{}, err
	}
	audit.Change(ctx, who.Name, nil, map[string]any{"factor": "code"})
	if err := a.useCode(ctx, who, code); errors.Is(err, ErrUnauthenticated) {
		return RecoverySet{}, Invalidf("code", "is not the code that the app shows now: check the clock of the telephone and of the server")
	} else if err != nil {
		return RecoverySet{}, err
	}
	a.factors.clear(who.Name)
	a.log.InfoContext(ctx, "one-time codes set up", "user", who.Name)
	return a.firstRecovery(ctx, who)
}

// useCode accepts a one-time code, each step once. A wrong or used one is ErrUnauthenticated.
func (a *Accounts) useCode(ctx context.Context, who store.Account, code string) error {
	t, err := a.st.TOTPOf(ctx, who.ID)
	if errors.Is(err, store.ErrNotFound) {
		return ErrUnauthenticated
	}
	if err != nil {
		return err
	}
	text, err := a.vault.unseal(codeName(who.ID), t.Secret)
	if err != nil {
		return fmt.Errorf("secret of codes of account %d: %w", who.ID, err)
	}
	secret, err := base32Plain.DecodeString(text)
	if err != nil {
		return fmt.Errorf("secret of codes of account %d: %w", who.ID, err)
	}
	at := a.now()
	code = strings.Join(strings.Fields(code), "")
	found := int64(0)
	for step := at.Unix()/codeStep - codeSkew; step <= at.Unix()/codeStep+codeSkew; step++ {
		if sameText(codeOf(secret, step), code) {
			found = step
		}
	}
	if found == 0 {
		return ErrUnauthenticated
	}
	err = a.st.UseStep(ctx, who.ID, found)
	if errors.Is(err, store.ErrNotFound) {
		return ErrUnauthenticated
	}
	return err
}

// RemoveCode removes the caller's one-time codes.
func (a *Accounts) RemoveCode(ctx context.Context, c Caller, password string) error {
	who, err := a.sure(ctx, c, password)
	if err != nil {
		return err
	}
	audit.Change(ctx, who.Name, map[string]any{"factor": "code"}, nil)
	return notFound(a.st.DeleteTOTP(ctx, who.ID))
}

// NewRecoveryCodes replaces the caller's recovery codes; the old ones are worth nothing then.
func (a *Accounts) NewRecoveryCodes(ctx context.Context, c Caller, password string) (RecoverySet, error) {
	who, err := a.sure(ctx, c, password)
	if err != nil {
		return RecoverySet{}, err
	}
	if has, err := a.st.HasFactor(ctx, who.ID); err != nil || !has {
		return RecoverySet{}, errors.Join(err, fmt.Errorf("recovery codes stand in for a second factor: set one up first: %w", ErrConflict))
	}
	return a.makeRecovery(ctx, who)
}

// firstRecovery makes recovery codes where there are none; else the set is empty.
func (a *Accounts) firstRecovery(ctx context.Context, who store.Account) (RecoverySet, error) {
	if n, err := a.st.RecoveryCodes(ctx, who.ID); err != nil || n > 0 {
		return RecoverySet{Codes: []string{}}, err
	}
	return a.makeRecovery(ctx, who)
}

func (a *Accounts) makeRecovery(ctx context.Context, who store.Account) (RecoverySet, error) {
	set := RecoverySet{}
	var hashes [][]byte
	for range recoveryCodes {
		code := newRecoveryCode()
		set.Codes = append(set.Codes, code)
		hashes = append(hashes, digest(plainCode(code)))
	}
	left, err := a.st.RecoveryCodes(ctx, who.ID)
	if err != nil {
		return set, err
	}
	audit.Change(ctx, who.Name, map[string]any{"recovery_codes": left}, map[string]any{"recovery_codes": recoveryCodes})
	if err := a.st.PutRecoveryCodes(ctx, who.ID, hashes); err != nil {
		return RecoverySet{}, err
	}
	return set, nil
}

// newRecoveryCode is 140 random bits in base32, in seven groups of four.
func newRecoveryCode() string {
	text := strings.ToLower(base32Plain.EncodeToString(randomBytes(18)))
	var groups []string
	for at := 0; at < 28; at += 4 {
		groups = append(groups, text[at:at+4])
	}
	return strings.Join(groups, "-")
}

// plainCode is a recovery code as people may type it.
func plainCode(code string) string {
	return strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(code))
}

// ResetFactorsArgs are the arguments of the admin verb "reset-factors".
type ResetFactorsArgs struct {
	Name string `json:"name"` // user name
}

// resetFactorsVerb is "picket reset-factors".
func resetFactorsVerb(ctx context.Context, s *Server, args json.RawMessage, _ func(Progress)) (any, error) {
	var in ResetFactorsArgs
	if err := json.Unmarshal(args, &in); err != nil {
		return nil, Invalidf("args", "not the arguments of reset-factors: %v", err)
	}
	return "ok", s.ResetFactors(ctx, in.Name)
}

// ResetPersonFactors removes every second factor of a person, who lost theirs,
// and ends the person's sessions.
func (a *Accounts) ResetPersonFactors(ctx context.Context, c Caller, id int64) error {
	if err := a.manage(c); err != nil {
		return err
	}
	who, err := a.st.AccountByID(ctx, id)
	if err != nil {
		return notFound(err)
	}
	return a.resetFactors(ctx, who)
}

// ResetFactors removes every second factor of an account by its user name, for
// the administrator of the machine: somebody lost theirs.
func (a *Accounts) ResetFactors(ctx context.Context, username string) error {
	who, err := a.st.AccountByName(ctx, strings.ToLower(strings.TrimSpace(username)))
	if err != nil {
		return notFound(err)
	}
	return a.resetFactors(ctx, who)
}

func (a *Accounts) resetFactors(ctx context.Context, who store.Account) error {
	has, err := a.st.HasFactor(ctx, who.ID)
	if err != nil {
		return err
	}
	audit.Change(ctx, who.Name, map[string]any{"factors": setOrNot(has)}, map[string]any{"factors": "removed"})
	if err := a.st.DeleteFactors(ctx, who.ID); err != nil {
		return err
	}
	a.factors.clear(who.Name)
	a.log.InfoContext(ctx, "second factors removed", "user", who.Name)
	return a.st.EndSessions(ctx, who.ID)
}
