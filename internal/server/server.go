// Package server is what the product does: it ingests what agents report,
// evaluates exposure, keeps accounts and answers every question that the
// console, the API and the command line ask.
//
//	s, err := server.Open(ctx, server.Options{Dir: "/var/lib/picket", Log: log})
//	defer s.Close()
//	go s.Run(ctx)
//	http.Serve(listener, api.New(api.Options{Server: s}))
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/intel"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// Options say where the server keeps its data and how it is reached.
type Options struct {
	Dir       string // data directory, created with mode 0700
	Log       *slog.Logger
	Version   string
	PublicURL string   // of the console and the API, "" when it is only known from requests
	AgentAddr string   // address that agents connect to, "host:port"; "" when no listener runs
	Names     []string // further names of the agent listener's certificate
	// IntelBase are base addresses of mirrors, by feed group, for syncs that
	// are started from the console; what is not there comes from the official address.
	IntelBase map[string]string
	// Hunt bounds queries of hunting; what is zero is as HuntTime and its like say.
	Hunt HuntLimits
	// Now is the wall clock of what happens at a date, such as the end of an
	// exception; nil: time.Now.
	Now func() time.Time
}

// Server is the running product. Its exported methods are safe for concurrent use.
type Server struct {
	*Accounts
	*Exports
	opt   Options
	log   *slog.Logger
	lock  *os.File // held while this process has the data directory
	st    *store.Store
	intel *intel.Store
	ca    *authority
	core  *core
	live  *live
	gate  *gateway
	tasks *taskDesk
	desk  *intelDesk
	plans *planDesk

	guard    guard        // before every action on an agent
	nodes    nodeDesk     // of osquery
	localAPI http.Handler // at the admin socket; nil: none

	excepting      sync.Mutex    // one change of exceptions at a time
	exceptionsSoon chan struct{} // somebody wants them looked at

	tickets     *ticketDesk
	forward     *forwardDesk
	looked      seenBook
	portraits   portraits
	settleSoon  chan struct{} // scores are stale
	noticed     *noticeBook
	reassessing sync.Mutex // one change of the intelligence at a time
	sorting     sync.Mutex // one change of rules, ranks or manual tags at a time

	changesSince  atomic.Int64            // from when on (Unix microseconds) all changes are recorded
	vexing        sync.Mutex              // one holding of documents against the fleet at a time
	vexed         atomic.Pointer[vexPlan] // what came of it last; nil: not yet
	refused       refusals                // how many refused requests the audit log lists
	repeated      refusals                // how many times it lists what agents ask for again
	telemetry     *telemetry
	alerting      sync.Mutex // one change of alerts at a time
	investigating sync.Mutex // one change of investigations at a time; never taken inside alerting or core.mu
	hunts         huntDesk
	indicators    *indicatorDesk
	importing     sync.Mutex // one bill of materials or VEX document in memory at a time
}

// Open opens a data directory, creating it if need be, and rebuilds the fleet
// in memory. It fails with a clear message when another process has it open.
func Open(ctx context.Context, opt Options) (*Server, error) {
	if err := os.MkdirAll(opt.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create data directory: %w", err)
	}
	lock, err := lockDir(opt.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{opt: opt, log: opt.Log, lock: lock, core: newCore(), live: newLive(), plans: newPlanDesk(), noticed: newNoticeBook(), tasks: newTaskDesk(), indicators: newIndicatorDesk(), settleSoon: make(chan struct{}, 1), exceptionsSoon: make(chan struct{}, 1)}
	s.core.clock, s.core.snapshot = s.now, s.snapshot
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.core.settled = func() { s.live.publish(LiveEvent{Resource: "score"}) }
	return s, nil
}

func (s *Server) open(ctx context.Context) (err error) {
	if s.st, err = store.Open(ctx, s.opt.Dir, store.Options{}); err != nil {
		return err
	}
	if s.intel, err = intel.Open(filepath.Join(s.opt.Dir, "intel.db"), intel.Options{}); err != nil {
		return err
	}
	if s.ca, err = openAuthority(s.opt.Dir, time.Now); err != nil {
		return err
	}
	if s.Accounts, err = OpenAccounts(ctx, s.st, s.log); err != nil {
		return err
	}
	if s.telemetry, err = openTelemetry(s.opt.Dir, s.log); err != nil {
		return err
	}
	s.st.OnAccess(func() { s.live.publish(LiveEvent{Resource: liveAccess}) })
	s.gate = newGateway(s.st, s.ca, s, s.log)
	s.desk = newIntelDesk(s.intel, s.log, s.intelChanged)
	s.desk.configure(s.opt.IntelBase, intel.SyncClient(http.ProxyFromEnvironment))
	s.tickets = newTicketDesk(s.vault)
	s.forward = newForwardDesk()
	if err = s.guard.load(ctx, s.st); err != nil {
		return err
	}
	if err = s.core.load(ctx, s.st); err != nil {
		return err
	}
	if err = s.core.remediations.load(ctx, s.st); err != nil {
		return err
	}
	if err = s.loadAlerts(ctx); err != nil {
		return err
	}
	if err = s.loadIndicators(ctx); err != nil {
		return err
	}
	if err = s.loadInvestigations(ctx); err != nil {
		return err
	}
	if s.Exports, err = OpenExports(filepath.Join(s.opt.Dir, "exports"), s.log); err != nil {
		return err
	}
	if err = s.loadMoves(ctx); err != nil {
		return err
	}
	if err = s.loadChanges(ctx); err != nil {
		return err
	}
	if err = s.firstAssessment(ctx); err != nil {
		return err
	}
	return s.loadExceptions(ctx)
}

// now is the time, in UTC.
func (s *Server) now() time.Time {
	if s.opt.Now != nil {
		return s.opt.Now().UTC()
	}
	return time.Now().UTC()
}

// firstAssessment fills the index when the program starts.
func (s *Server) firstAssessment(ctx context.Context) error {
	const judgedBy = "assessed_by" // the version of the rules that assessments in the store are by
	generation := s.intel.Generation()
	was, err := s.st.AssessedGeneration(ctx)
	if err != nil {
		return fmt.Errorf("read what assessments are of: %w", err)
	}
	by, err := s.st.Setting(ctx, judgedBy)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("read what judged last: %w", err)
	}
	same := was == generation && string(by) == s.opt.Version
	if err := s.reassess(ctx, touched{All: true, Generation: generation, Start: true, Unsure: !same}); err != nil || same {
		return err
	}
	return s.st.SetSetting(ctx, judgedBy, []byte(s.opt.Version))
}

// Close frees what Open opened. It is safe on a server that opened only in part.
func (s *Server) Close() error {
	var errs []error
	if s.intel != nil {
		errs = append(errs, s.intel.Close())
	}
	if s.telemetry != nil {
		errs = append(errs, s.telemetry.log.Close())
	}
	if s.st != nil {
		errs = append(errs, s.st.Close())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

// Run does the server's own work until ctx ends: the admin socket, the
// gateway's housekeeping.
func (s *Server) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.serveAdmin(ctx) })
	g.Go(func() error { return s.gate.Run(ctx) })
	g.Go(func() error { return s.desk.Run(ctx) })
	g.Go(func() error { return s.runSeen(ctx) })
	g.Go(func() error { return s.runRates(ctx) })
	g.Go(func() error { return s.runScores(ctx) })
	g.Go(func() error { return s.runVEX(ctx) })
	g.Go(func() error { return s.runNotices(ctx) })
	g.Go(func() error { return s.runChanges(ctx) })
	g.Go(func() error { return s.runMoves(ctx) })
	g.Go(func() error { return s.runExceptions(ctx) })
	g.Go(func() error { return s.runRemediations(ctx) })
	g.Go(func() error { return s.runTickets(ctx) })
	g.Go(func() error { return s.runForward(ctx) })
	g.Go(func() error { return s.runTelemetry(ctx) })
	g.Go(func() error { return s.runApprovals(ctx) })
	g.Go(func() error { return s.runTasks(ctx) })
	g.Go(func() error { return s.runIndicators(ctx) })
	return g.Wait()
}

// AgentTLS is the configuration of the agents' listener.
func (s *Server) AgentTLS() (*tls.Config, error) {
	return s.ca.serverTLS(s.opt.AgentAddr, s.opt.Names)
}

// Dir is the data directory.
func (s *Server) Dir() string { return s.opt.Dir }

// FirstSignInLink returns a sign-in secret while nobody has an account, "" afterwards.
func (s *Server) FirstSignInLink(ctx context.Context) (string, error) {
	n, err := s.st.CountAccounts(ctx)
	if err != nil || n > 0 {
		return "", err
	}
	return s.SignInLink(ctx)
}

// intelView is one consistent view of the intelligence.
type intelView interface {
	exposure.Intelligence
	Weakness(id string) (advisory.Weakness, bool)
	Feeds() ([]intel.FeedState, error)
}

// snapshot opens a view of the intelligence; release it soon.
func (s *Server) snapshot() (intelView, func(), error) {
	sn, err := s.intel.Snapshot()
	if err != nil {
		return nil, nil, fmt.Errorf("read intelligence: %w", err)
	}
	return sn, func() { _ = sn.Close() }, nil
}

// intelChanged carries a change of the intelligence into the fleet; an import
// has ended only when it returns.
func (s *Server) intelChanged(ctx context.Context, r intel.Result) error {
	all := r.All || r.AllWeaknesses
	for _, l := range r.Loads {
		all = all || (l.Feed == advisory.FeedEndOfLife || l.Feed == advisory.FeedDemo) && l.Status == intel.Loaded
	}
	return s.reassess(ctx, touched{All: all, Keys: r.Keys, Weaknesses: r.Weaknesses, Generation: r.Generation})
}

// API is what package api relies on: the list of what the server offers. It
// exists as documentation and as a compile-time check, not for mocking.
type API interface {
	Status(ctx context.Context, c Caller) (Status, error)
	Search(ctx context.Context, c Caller, text string) ([]SearchHit, error)

	Devices(ctx context.Context, c Caller, q Query, where func(*DeviceRow) bool) (Page[DeviceRow], error)
	Device(ctx context.Context, c Caller, idOrName string) (Device, error)
	DeviceRemoval(ctx context.Context, c Caller, id string) (DeviceRemoval, error)
	RemoveDevice(ctx context.Context, c Caller, id string) error
	DeviceSoftware(ctx context.Context, c Caller, id string, q Query) (Page[DeviceSoftwareRow], error)
	DeviceSoftwareTable(ctx context.Context, c Caller, id string, q RowQuery[SoftwareRow]) (RowPage[SoftwareRow], error)
	DeviceSoftwareOne(ctx context.Context, c Caller, id, product string) (DeviceSoftware, error)
	DeviceVulns(ctx context.Context, c Caller, id string, q Query) (Page[DeviceVulnRow], error)
	DeviceWeaknessTable(ctx context.Context, c Caller, id string, q WeaknessTableQuery) (WeaknessTablePage, error)
	DeviceVuln(ctx context.Context, c Caller, id, weakness string) (DeviceVuln, error)
	DeviceUpdates(ctx context.Context, c Caller, id string, q Query) (Page[MissingUpdate], error)
	DeviceUpdateTable(ctx context.Context, c Caller, id string, q RowQuery[MissingUpdate]) (RowPage[MissingUpdate], error)
	DeviceClosed(ctx context.Context, c Caller, id string, q Query) (Page[ClosedRow], error)
	Timeline(ctx context.Context, c Caller, id string, q TimelineQuery) (Timeline, error)
	TimelineCounts(ctx context.Context, c Caller, id string, q TimelineQuery) (TimelineCounts, error)
	TimelineEvent(ctx context.Context, c Caller, id, event string) (TimelineEvent, error)
	TimelineExport(ctx context.Context, c Caller, id string, q TimelineQuery) (inventory.DeviceID, iter.Seq2[TimelineRow, error], error)
	TimelineTechniques(ctx context.Context, c Caller, id string, q TimelineQuery) ([]TechniqueCount, error)
	DeviceHealth(ctx context.Context, c Caller, id string) (DeviceHealth, error)
	FlagEvent(ctx context.Context, c Caller, id, event string, flagged bool) error
	LogonUsers(ctx context.Context, c Caller, id string) (LogonUsers, error)
	DeviceUsers(ctx context.Context, c Caller, id string, q RowQuery[LogonUser]) (RowPage[LogonUser], error)
	Retention(ctx context.Context, c Caller) (RetentionView, error)
	SetRetention(ctx context.Context, c Caller, r Retention) (RetentionView, error)
	Entity(ctx context.Context, c Caller, q EntityQuery) (EntityView, error)
	EntityDevices(ctx context.Context, c Caller, kind, id string, q Query) (Page[EntityDevice], error)
	EntityEvents(ctx context.Context, c Caller, q EntityQuery, limit int) (EntityEvents, error)
	SeenOn(ctx context.Context, c Caller, q EntityQuery) (map[inventory.DeviceID]bool, error)
	Hunt(ctx context.Context, c Caller, in HuntRequest) (*Hunt, error)
	HuntSchema(ctx context.Context, c Caller) (HuntSchema, error)
	HuntQueries(ctx context.Context, c Caller) ([]HuntQuery, error)
	SaveHuntQuery(ctx context.Context, c Caller, id string, in HuntQueryEdit) (HuntQuery, error)
	DeleteHuntQuery(ctx context.Context, c Caller, id string) error
	ImportSBOM(ctx context.Context, c Caller, document []byte, opt SBOMImport) (SBOMImported, error)
	DeviceSBOM(ctx context.Context, c Caller, id, format string) (Download, error)
	Alerts(ctx context.Context, c Caller, q Query, where func(*AlertRow) bool) (Page[AlertRow], error)
	EntityAlerts(ctx context.Context, c Caller, kind, id string, q Query, where func(*AlertRow) bool) (Page[AlertRow], error)
	DeviceAlerts(ctx context.Context, c Caller, idOrName string, q Query, where func(*AlertRow) bool) (Page[AlertRow], error)
	FillAlerts(ctx context.Context, c Caller, rows []AlertRow, evidence bool) error
	Alert(ctx context.Context, c Caller, id string) (Alert, error)
	AlertSummary(ctx context.Context, c Caller) (AlertSummary, error)
	Techniques(ctx context.Context, c Caller) ([]Technique, error)
	AlertRelated(ctx context.Context, c Caller, id, kind string, q RowQuery[AlertEvidence]) (AlertRelated, error)
	CreateAlert(ctx context.Context, c Caller, n NewAlert) (out Alert, made bool, err error)
	UpdateAlerts(ctx context.Context, c Caller, ids []string, ch AlertChange) error
	Indicators(ctx context.Context, c Caller, q Query, where func(*IndicatorRow) bool) (Page[IndicatorRow], error)
	Indicator(ctx context.Context, c Caller, id string) (IndicatorRow, error)
	SaveIndicator(ctx context.Context, c Caller, in IndicatorEdit) (row IndicatorRow, made bool, err error)
	ChangeIndicator(ctx context.Context, c Caller, id string, in IndicatorEdit) (IndicatorRow, error)
	ImportIndicators(ctx context.Context, c Caller, list []IndicatorEdit) ([]IndicatorResult, error)
	DeleteIndicators(ctx context.Context, c Caller, ids []string) error
	// Audit to AuditEnd are the audit log.
	Audit(ctx context.Context, c Caller, q Query) (Page[AuditRow], error)
	AuditExport(ctx context.Context, c Caller, q Query) (iter.Seq2[AuditRow, error], error)
	AuditWords(ctx context.Context, c Caller) (AuditWords, error)
	Audited(ctx context.Context, c Caller, action, object, request string) context.Context
	AuditEnd(ctx context.Context, status int)
	ImportVEX(ctx context.Context, c Caller, document []byte, force bool) (VEXDocument, error)
	VEXDocuments(ctx context.Context, c Caller, q Query) (Page[VEXRow], error)
	VEXDocument(ctx context.Context, c Caller, id string) (VEXDocument, error)
	VEXStatements(ctx context.Context, c Caller, id string, q Query) (Page[VEXStatement], error)
	VEXFile(ctx context.Context, c Caller, id string) (Download, error)
	VEXRemoval(ctx context.Context, c Caller, id string) (VEXRemoval, error)
	RemoveVEX(ctx context.Context, c Caller, id string) error
	VEXReport(ctx context.Context, c Caller, id, format string) (Download, error)

	SoftwareList(ctx context.Context, c Caller, q Query, where func(*SoftwareRow) bool) (Page[SoftwareRow], error)
	Software(ctx context.Context, c Caller, id string) (Software, error)
	SoftwareDevices(ctx context.Context, c Caller, id string, q Query) (Page[DeviceRow], error)
	SoftwareVersions(ctx context.Context, c Caller, id string, q Query) (Page[VersionRow], error)
	SoftwareVersionTable(ctx context.Context, c Caller, id string, q RowQuery[VersionRow]) (RowPage[VersionRow], error)
	SoftwareRecommendations(ctx context.Context, c Caller, id string, q Query) (Page[RecommendationRow], error)
	SoftwareUpdates(ctx context.Context, c Caller, id string, q Query) (Page[MissingUpdate], error)
	SoftwareUpdateTable(ctx context.Context, c Caller, id string, q RowQuery[MissingUpdate]) (RowPage[MissingUpdate], error)
	SoftwareVulns(ctx context.Context, c Caller, id string, q Query) (Page[WeaknessRow], error)
	SoftwareDeviceRefs(ctx context.Context, c Caller, id string, q DeviceRefQuery) (DeviceRefPage, error)
	SoftwareWeaknessTable(ctx context.Context, c Caller, id string, q WeaknessTableQuery) (WeaknessTablePage, error)

	Weaknesses(ctx context.Context, c Caller, q Query, where func(*WeaknessRow) bool) (Page[WeaknessRow], error)
	Weakness(ctx context.Context, c Caller, id string) (WeaknessDetail, error)
	WeaknessDevices(ctx context.Context, c Caller, id string, q Query) (Page[WeaknessDevice], error)
	WeaknessSoftware(ctx context.Context, c Caller, id string, q Query) (Page[WeaknessSoftwareRow], error)
	MachineVulns(ctx context.Context, c Caller, q MachineVulnQuery) (MachineVulnPage, error)
	WeaknessDeviceRefs(ctx context.Context, c Caller, id string, q DeviceRefQuery) (DeviceRefPage, error)
	WeaknessTable(ctx context.Context, c Caller, q WeaknessTableQuery) (WeaknessTablePage, error)
	WeaknessFacts(ctx context.Context, c Caller, id string) (advisory.Weakness, error)

	Events(ctx context.Context, c Caller, q Query) (Page[EventRow], error)
	EventCounts(ctx context.Context, c Caller, q Query) (EventCounts, error)
	Event(ctx context.Context, c Caller, id string) (EventDetail, error)
	EventVulns(ctx context.Context, c Caller, id string, q Query) (Page[WeaknessRow], error)
	ExportVulns(ctx context.Context, c Caller, q ExportQuery) (Export[VulnExport], error)
	ExportInventory(ctx context.Context, c Caller, q ExportQuery) (Export[InventoryExport], error)
	ExportChecks(ctx context.Context, c Caller, q ExportQuery) (Export[CheckExport], error)
	NewExportFiles(ctx context.Context, c Caller, permission string, life time.Duration) (*ExportFiles, error)

	Dashboard(ctx context.Context, c Caller) (Dashboard, error)
	ExposureScore(ctx context.Context, c Caller) (ScoreView, error)
	SecureScore(ctx context.Context, c Caller) (SecureScoreView, error)
	DeviceScore(ctx context.Context, c Caller, id string) (DeviceScore, error)
	ScorePartsAPI
	DeviceChecks(ctx context.Context, c Caller, id string, q Query) (Page[DeviceCheckRow], error)
	SetDeviceValue(ctx context.Context, c Caller, id, value string) error
	SetExclusion(ctx context.Context, c Caller, id string, e *Exclusion) error
	ActionAPI
	MachineActionAPI
	PackageAPI
	GuardAPI

	DeviceGroups(ctx context.Context, c Caller) ([]DeviceGroup, error)
	SaveDeviceGroup(ctx context.Context, c Caller, id exposure.Group, e RuleEdit) (DeviceGroup, error)
	SetGroupAccess(ctx context.Context, c Caller, id exposure.Group, a GroupAccess) (DeviceGroup, error)
	DeleteDeviceGroup(ctx context.Context, c Caller, id exposure.Group) error
	OrderDeviceGroups(ctx context.Context, c Caller, ids []exposure.Group) error
	PreviewDeviceGroup(ctx context.Context, c Caller, id exposure.Group, rules []group.Rule) (RulePreview, error)
	ScoresByGroup(ctx context.Context, c Caller) ([]GroupScore, error)
	TagRules(ctx context.Context, c Caller) ([]TagRule, error)
	SaveTagRule(ctx context.Context, c Caller, id int64, e RuleEdit) (TagRule, error)
	DeleteTagRule(ctx context.Context, c Caller, id int64) error
	PreviewTagRule(ctx context.Context, c Caller, id int64, rules []group.Rule) (RulePreview, error)
	Tags(ctx context.Context, c Caller) ([]TagRow, error)
	OperatingSystems(ctx context.Context, c Caller) ([]OSRow, error)
	ChangeTags(ctx context.Context, c Caller, ch TagChange) (TagResult, error)

	Recommendations(ctx context.Context, c Caller, q Query, where func(*RecommendationRow) bool) (Page[RecommendationRow], error)
	Recommendation(ctx context.Context, c Caller, id string) (Recommendation, error)
	RecommendationDevices(ctx context.Context, c Caller, id string, q Query) (Page[DeviceRow], error)
	RecommendationSoftware(ctx context.Context, c Caller, id string) (SoftwareRow, error)
	CountCritical(ctx context.Context, c Caller, rows []RecommendationRow) error
	CountUnnoticed(ctx context.Context, c Caller, rows []RecommendationRow) error
	RecommendationVulns(ctx context.Context, c Caller, id string, q Query) (Page[WeaknessRow], error)
	RecommendationDeviceRefs(ctx context.Context, c Caller, id string, q DeviceRefQuery) (DeviceRefPage, error)
	RecommendationWeaknessTable(ctx context.Context, c Caller, id string, q WeaknessTableQuery) (WeaknessTablePage, error)
	DeviceRecommendations(ctx context.Context, c Caller, id string, q Query) (Page[DeviceRecommendationRow], error)
	DeviceRecommendationTable(ctx context.Context, c Caller, id string, q RowQuery[RecommendationRow]) (RowPage[RecommendationRow], error)

	WhatIf(ctx context.Context, c Caller, recommendations []string) (WhatIf, error)
	DraftPlan(ctx context.Context, c Caller, g PlanGoal) (Plan, error)
	SavePlan(ctx context.Context, c Caller, draft, name string) (Plan, error)
	Plans(ctx context.Context, c Caller, q Query, where func(*PlanRow) bool) (Page[PlanRow], error)
	Plan(ctx context.Context, c Caller, id string) (Plan, error)
	PlanSteps(ctx context.Context, c Caller, id string, q Query) (Page[PlanStep], error)
	DeletePlan(ctx context.Context, c Caller, id string) error
	PlanSearch(ctx context.Context, c Caller, name string) (PlanSearch, error)
	PlanRemediation(ctx context.Context, c Caller, id string) (PlanForm, error)
	RemediatePlan(ctx context.Context, c Caller, id string, in PlanRequest) (Plan, error)
	Exceptions(ctx context.Context, c Caller, q Query) (Page[ExceptionRow], error)
	Exception(ctx context.Context, c Caller, id string) (ExceptionDetail, error)
	ExceptionTargets(ctx context.Context, c Caller, id string, q Query) (Page[ExceptionTarget], error)
	MakeException(ctx context.Context, c Caller, in NewException) (ExceptionDetail, error)
	CancelException(ctx context.Context, c Caller, id string, groups []exposure.Group) (ExceptionDetail, error)
	Remediations(ctx context.Context, c Caller, q Query, where func(*RemediationRow) bool) (Page[RemediationRow], error)
	Remediation(ctx context.Context, c Caller, id string) (Remediation, error)
	RemediationDevices(ctx context.Context, c Caller, id string, q Query) (Page[RemediationDevice], error)
	RemediationDeviceRefs(ctx context.Context, c Caller, id string, q DeviceRefQuery) (DeviceRefPage, error)
	RemediationForm(ctx context.Context, c Caller, recommendation string) (RemediationForm, error)
	RequestRemediation(ctx context.Context, c Caller, in RemediationRequest) (Remediation, error)
	EditRemediation(ctx context.Context, c Caller, id, priority, due, notes string) (Remediation, error)
	CompleteRemediation(ctx context.Context, c Caller, id, note string) (Remediation, error)
	ReopenRemediation(ctx context.Context, c Caller, id, note string) (Remediation, error)
	RetryTicket(ctx context.Context, c Caller, id string, ticket int64) (Remediation, error)
	Destinations(ctx context.Context, c Caller) ([]DestinationRow, error)
	// PutDestination stores a place for tickets; id "" makes a new one.
	PutDestination(ctx context.Context, c Caller, id string, in DestinationInput) (DestinationRow, error)
	RemoveDestination(ctx context.Context, c Caller, id string) error
	TestDestination(ctx context.Context, c Caller, id string) (TestResult, error)

	ReportInaccuracy(ctx context.Context, c Caller, in InaccuracyReport) (InaccuracyRow, error)
	Inaccuracies(ctx context.Context, c Caller, q Query) (Page[InaccuracyRow], error)
	Inaccuracy(ctx context.Context, c Caller, id string) (Inaccuracy, error)
	SetInaccuracyStatus(ctx context.Context, c Caller, id, status string) error

	Intel(ctx context.Context, c Caller) (Intel, error)
	SyncIntel(ctx context.Context, c Caller) (JobRow, error)
	CancelJob(ctx context.Context, c Caller, id string) error

	// People, roles and user groups are administrators'.
	People(ctx context.Context, c Caller, q Query) (Page[PersonRow], error)
	Person(ctx context.Context, c Caller, id int64) (PersonRow, error)
	AddPerson(ctx context.Context, c Caller, in NewPerson) (PersonLink, error)
	EditPerson(ctx context.Context, c Caller, id int64, e PersonEdit) (PersonRow, error)
	DeletePerson(ctx context.Context, c Caller, id int64) error
	LinkPerson(ctx context.Context, c Caller, id int64, reset bool) (PersonLink, error)
	EndPersonSessions(ctx context.Context, c Caller, id int64) error
	RolePermissions(ctx context.Context, c Caller) ([]RolePermission, error)
	Roles(ctx context.Context, c Caller) ([]Role, error)
	SaveRole(ctx context.Context, c Caller, id int64, e RoleEdit) (Role, error)
	DeleteRole(ctx context.Context, c Caller, id int64) error
	UserGroups(ctx context.Context, c Caller) ([]UserGroup, error)
	SaveUserGroup(ctx context.Context, c Caller, id int64, e UserGroupEdit) (UserGroup, error)
	DeleteUserGroup(ctx context.Context, c Caller, id int64) error

	Onboarding(ctx context.Context, c Caller) (Onboarding, error)
	Tokens(ctx context.Context, c Caller) ([]TokenRow, error)
	// CreateToken returns the secret, shown once. maxUses 0 is unlimited; hours is the life.
	CreateToken(ctx context.Context, c Caller, note string, maxUses, hours int) (secret string, row TokenRow, err error)
	RevokeToken(ctx context.Context, c Caller, id string) error

	// Subscribe delivers what changes until ctx ends; slow readers lose events
	// and get one {Resource: "all"} instead.
	Subscribe(ctx context.Context, c Caller) (<-chan LiveEvent, error)
}
