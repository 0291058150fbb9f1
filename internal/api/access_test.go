package api

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/api/mde"
	"github.com/picketsec/picket/internal/server"
)

// Who may use a route besides those that hold a permission.
const (
	anyone  = "anyone"              // no credentials needed
	person  = "person"              // whoever has a session
	manager = server.ManageSettings // an administrator's session

	// Of all devices: whoever does not see every one may not.
	securityOfAll = ofAll + server.ManageSecurity
	importing     = ofAll + server.MachineReadWrite + "|" + server.ManageSecurity
	removing      = server.MachineReadWrite + "|" + server.ManageSecurity
	tagging       = server.MachineReadWrite + "|" + server.ManageDevices
	cancelling    = server.MachineIsolate + "|" + server.MachineScan + "|" + server.MachineCollect + "|" + server.AlertWrite
	deciding      = server.ApproveActions + "|" + server.ManageSettings
	indicating    = server.TiWrite + "|" + server.TiWriteOwn
	ofAll         = "of all: "
)

// route is one line of the table of who may do what: the whole API is here.
type route struct {
	need   string // anyone, person, or permissions of which one is enough, parted by "|"
	target string // an example
	body   string
	ok     int // what a good request answers
}

// anyOf are the permissions of which one opens the route; person for any session.
func (r route) anyOf() []string { return strings.Split(strings.TrimPrefix(r.need, ofAll), "|") }

// fleetWide reports whether only those may who see every device.
func (r route) fleetWide() bool { return strings.HasPrefix(r.need, ofAll) }

// ruleBody is a good device group, and good rules of a tag.
const ruleBody = `{"name":"web","rules":[{"conditions":[{"property":"name","operator":"equals","values":["web"]}]}]}`

// ssoBody is a provider that is set up and does not answer.
const ssoBody = `{"enabled":false,"name":"n","issuer":"http://127.0.0.1:1","client_id":"c","scopes":[],"group_claim":"","link_claim":"","groups":[],"require_group":false}`

// newAlertBody and referenceBody are good alerts.
const (
	newAlertBody  = `{"device_id":"srv-01","event_id":"1-1-1","severity":"Low","title":"t","description":"d","recommended_action":"r","category":"Malware"}`
	referenceBody = `{"machineId":"srv-01","severity":"Low","title":"t","description":"d","recommendedAction":"r","category":"Malware","eventTime":"2026-01-02T03:04:05Z","reportId":"1"}`
)

var table = map[string]route{
	"POST /api/x/session/redeem":                   {anyone, "/api/x/session/redeem", `{"token":"wrong"}`, 401},
	"POST /api/x/session":                          {anyone, "/api/x/session", `{"username":"admin","password":"wrong"}`, 401},
	"POST /api/x/session/second":                   {anyone, "/api/x/session/second", `{"ticket":"x","factor":"code","code":"000000"}`, 401},
	"POST /api/x/session/passkey/ask":              {anyone, "/api/x/session/passkey/ask", `{"ticket":"x"}`, 422}, // picket.test is not a public address
	"POST /api/x/session/passkey":                  {anyone, "/api/x/session/passkey", `{"ticket":"x","credential":{}}`, 422},
	"GET /api/x/me/sessions":                       {person, "/api/x/me/sessions", "", 200},
	"DELETE /api/x/me/sessions":                    {person, "/api/x/me/sessions", "", 204},
	"DELETE /api/x/me/sessions/{id}":               {person, "/api/x/me/sessions/0123456789abcdef", "", 404},
	"GET /api/x/me/consent":                        {person, "/api/x/me/consent?ask=x", "", 422},
	"POST /api/x/me/consent":                       {person, "/api/x/me/consent", `{"ask":"x","allow":true}`, 422},
	"GET /api/x/me/device":                         {person, "/api/x/me/device?code=BCDF-GHJK", "", 422},
	"POST /api/x/me/device":                        {person, "/api/x/me/device", `{"code":"BCDF-GHJK","allow":true}`, 422},
	"GET /api/x/me/grants":                         {person, "/api/x/me/grants", "", 200},
	"DELETE /api/x/me/grants/{id}":                 {person, "/api/x/me/grants/x", "", 404},
	"GET /api/x/applications/{id}/grants":          {manager, "/api/x/applications/x/grants", "", 404},
	"DELETE /api/x/applications/{id}/grants/{sub}": {manager, "/api/x/applications/x/grants/y", "", 404},
	"GET /api/x/me/factors":                        {person, "/api/x/me/factors", "", 200},
	"POST /api/x/me/code":                          {person, "/api/x/me/code", `{}`, 200},
	"POST /api/x/me/code/confirm":                  {person, "/api/x/me/code/confirm", `{"code":"x"}`, 422},
	"POST /api/x/me/code/remove":                   {person, "/api/x/me/code/remove", `{}`, 404},
	"POST /api/x/me/recovery-codes":                {person, "/api/x/me/recovery-codes", `{}`, 409},
	"POST /api/x/me/passkeys/begin":                {person, "/api/x/me/passkeys/begin", `{}`, 422},
	"POST /api/x/me/passkeys":                      {person, "/api/x/me/passkeys", `{"ticket":"x","name":"n","credential":{}}`, 422},

	"PUT /api/x/me/passkeys/{id}":              {person, "/api/x/me/passkeys/AAAA", `{"name":"n"}`, 404},
	"POST /api/x/me/passkeys/{id}/remove":      {person, "/api/x/me/passkeys/AAAA/remove", `{}`, 404},
	"DELETE /api/x/people/{id}/factors":        {manager, "/api/x/people/9999/factors", "", 404},
	"GET /api/x/session/ways":                  {anyone, "/api/x/session/ways", "", 200},
	"POST /api/x/session/sso":                  {anyone, "/api/x/session/sso", `{"next":"/devices"}`, 409},
	"GET /api/x/sign-in/sso":                   {manager, "/api/x/sign-in/sso", "", 200},
	"PUT /api/x/sign-in/sso":                   {manager, "/api/x/sign-in/sso", ssoBody, 200},
	"POST /api/x/sign-in/sso/test":             {manager, "/api/x/sign-in/sso/test", ssoBody, 200},
	"GET /api/x/sign-in/provisioning":          {manager, "/api/x/sign-in/provisioning", "", 200},
	"POST /api/x/sign-in/provisioning/token":   {manager, "/api/x/sign-in/provisioning/token", "", 201},
	"DELETE /api/x/sign-in/provisioning/token": {manager, "/api/x/sign-in/provisioning/token", "", 204},
	"GET /api/x/sign-in/policy":                {manager, "/api/x/sign-in/policy", "", 200},
	"PUT /api/x/sign-in/policy":                {manager, "/api/x/sign-in/policy", `{"second_factor":"optional","roles":[],"local_admins_only":false}`, 200},
	"GET /api/x/sign-in/locks":                 {manager, "/api/x/sign-in/locks", "", 200},
	"DELETE /api/x/sign-in/locks/{id}":         {manager, "/api/x/sign-in/locks/account-eA", "", 404},

	"GET /api/x/session":     {person, "/api/x/session", "", 200},
	"PUT /api/x/me/password": {person, "/api/x/me/password", `{"new":"short"}`, 422},
	"GET /api/x/me/prefs":    {person, "/api/x/me/prefs", "", 200},
	"PUT /api/x/me/prefs":    {person, "/api/x/me/prefs", `{"theme":"dark"}`, 204},
	"DELETE /api/x/session":  {person, "/api/x/session", "", 200},

	"GET /api/x/status": {server.MachineRead, "/api/x/status", "", 200},
	"GET /api/x/search": {server.MachineRead, "/api/x/search?q=srv", "", 200},
	"GET /api/x/live":   {server.MachineRead, "/api/x/live", "", 200},

	"POST /api/x/sbom":                {importing, "/api/x/sbom", `{"bomFormat":"CycloneDX"}`, 200},
	"DELETE /api/x/devices/{id}":      {removing, "/api/x/devices/srv-01", "", 204},
	"GET /api/x/devices/{id}/removal": {removing, "/api/x/devices/srv-01/removal", "", 200},
	"GET /api/x/devices/{id}/sbom":    {server.SoftwareRead, "/api/x/devices/srv-01/sbom?format=spdx", "", 200},
	"GET /api/x/devices/{id}/vex":     {server.VulnerabilityRead, "/api/x/devices/srv-01/vex?format=csaf", "", 200},
	"GET /api/x/vex/report":           {server.VulnerabilityRead, "/api/x/vex/report", "", 200},
	"GET /api/x/vex":                  {securityOfAll, "/api/x/vex", "", 200},
	"POST /api/x/vex":                 {securityOfAll, "/api/x/vex", `{}`, 200},
	"DELETE /api/x/vex/{id}":          {securityOfAll, "/api/x/vex/1", "", 204},

	"GET /api/x/vex/export":                 {securityOfAll, "/api/x/vex/export", "", 200},
	"GET /api/x/vex/{id}":                   {securityOfAll, "/api/x/vex/1", "", 200},
	"GET /api/x/vex/{id}/removal":           {securityOfAll, "/api/x/vex/1/removal", "", 200},
	"GET /api/x/vex/{id}/file":              {securityOfAll, "/api/x/vex/1/file", "", 200},
	"GET /api/x/vex/{id}/statements":        {securityOfAll, "/api/x/vex/1/statements", "", 200},
	"GET /api/x/vex/{id}/statements/export": {securityOfAll, "/api/x/vex/1/statements/export", "", 200},

	"GET /api/x/files/{id}":                  {server.FileRead, "/api/x/files/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "", 200},
	"GET /api/x/files/{id}/events":           {server.MachineRead, "/api/x/files/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/events", "", 200},
	"GET /api/x/files/{id}/devices":          {server.MachineRead, "/api/x/files/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/devices", "", 200},
	"GET /api/x/files/{id}/devices/export":   {server.MachineRead, "/api/x/files/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/devices/export", "", 200},
	"GET /api/x/ips/{id}":                    {server.AddressRead, "/api/x/ips/192.0.2.7", "", 200},
	"GET /api/x/ips/{id}/events":             {server.MachineRead, "/api/x/ips/192.0.2.7/events", "", 200},
	"GET /api/x/ips/{id}/devices":            {server.MachineRead, "/api/x/ips/192.0.2.7/devices", "", 200},
	"GET /api/x/ips/{id}/devices/export":     {server.MachineRead, "/api/x/ips/192.0.2.7/devices/export", "", 200},
	"GET /api/x/domains/{id}":                {server.URLRead, "/api/x/domains/example.com", "", 200},
	"GET /api/x/domains/{id}/events":         {server.MachineRead, "/api/x/domains/example.com/events", "", 200},
	"GET /api/x/domains/{id}/devices":        {server.MachineRead, "/api/x/domains/example.com/devices", "", 200},
	"GET /api/x/domains/{id}/devices/export": {server.MachineRead, "/api/x/domains/example.com/devices/export", "", 200},
	"GET /api/x/users/{id}":                  {server.AccountRead, "/api/x/users/alice", "", 200},
	"GET /api/x/users/{id}/events":           {server.MachineRead, "/api/x/users/alice/events", "", 200},
	"GET /api/x/users/{id}/devices":          {server.MachineRead, "/api/x/users/alice/devices", "", 200},
	"GET /api/x/users/{id}/devices/export":   {server.MachineRead, "/api/x/users/alice/devices/export", "", 200},
	"GET /api/files/{id}":                    {server.FileRead, "/api/files/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "", 200},
	"GET /api/files/{id}/stats":              {server.FileRead, "/api/Files/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/stats?lookBackHours=48", "", 200},
	"GET /api/files/{id}/machines":           {server.MachineRead, "/api/files/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/machines", "", 200},
	"GET /api/domains/{id}/stats":            {server.URLRead, "/api/domains/example.com/stats", "", 200},
	"GET /api/domains/{id}/machines":         {server.MachineRead, "/api/domains/example.com/machines", "", 200},
	"GET /api/ips/{id}/stats":                {server.AddressRead, "/api/ips/192.0.2.7/stats", "", 200},
	"GET /api/users/{id}/machines":           {server.MachineRead, "/api/users/alice/machines", "", 200},
	"GET /api/machines/{id}/logonusers":      {server.AccountRead, "/api/machines/" + string(deviceID(1)) + "/logonusers", "", 200},

	"GET /api/x/retention":    {manager, "/api/x/retention", "", 200},
	"PUT /api/x/retention":    {manager, "/api/x/retention", `{"days":180,"bytes":549755813888,"kinds":[]}`, 200},
	"GET /api/x/audit":        {manager, "/api/x/audit", "", 200},
	"GET /api/x/audit/words":  {manager, "/api/x/audit/words", "", 200},
	"GET /api/x/audit/export": {manager, "/api/x/audit/export", "", 200},

	"GET /api/x/devices":                 {server.MachineRead, "/api/x/devices", "", 200},
	"GET /api/x/devices/export":          {server.MachineRead, "/api/x/devices/export", "", 200},
	"GET /api/x/devices/{id}":            {server.MachineRead, "/api/x/devices/srv-01", "", 200},
	"GET /api/x/hunting/schema":          {server.AdvancedQuery, "/api/x/hunting/schema", "", 200},
	"POST /api/x/hunting/run":            {server.AdvancedQuery, "/api/x/hunting/run", `{"query":"print x = 1"}`, 200},
	"POST /api/x/hunting/check":          {server.AdvancedQuery, "/api/x/hunting/check", `{"query":"print x = 1"}`, 200},
	"POST /api/x/hunting/export":         {server.AdvancedQuery, "/api/x/hunting/export", `{"query":"print x = 1","format":"csv"}`, 200},
	"GET /api/x/hunting/queries":         {server.AdvancedQuery, "/api/x/hunting/queries", "", 200},
	"POST /api/x/hunting/queries":        {server.AdvancedQuery, "/api/x/hunting/queries", `{"name":"n","query":"print x = 1"}`, 201},
	"PUT /api/x/hunting/queries/{id}":    {server.AdvancedQuery, "/api/x/hunting/queries/1", `{"name":"n","query":"print x = 1"}`, 200},
	"DELETE /api/x/hunting/queries/{id}": {server.AdvancedQuery, "/api/x/hunting/queries/1", "", 204},

	"GET /api/x/devices/{id}/timeline":                   {server.MachineRead, "/api/x/devices/srv-01/timeline", "", 200},
	"GET /api/x/devices/{id}/timeline/techniques":        {server.MachineRead, "/api/x/devices/srv-01/timeline/techniques", "", 200},
	"GET /api/x/devices/{id}/timeline/counts":            {server.MachineRead, "/api/x/devices/srv-01/timeline/counts", "", 200},
	"GET /api/x/devices/{id}/timeline/export":            {server.MachineRead, "/api/x/devices/srv-01/timeline/export", "", 200},
	"GET /api/x/devices/{id}/timeline/events/{sub}":      {server.MachineRead, "/api/x/devices/srv-01/timeline/events/1-1-1", "", 200},
	"PUT /api/x/devices/{id}/timeline/events/{sub}/flag": {tagging, "/api/x/devices/srv-01/timeline/events/1-1-1/flag", `{"flagged":true}`, 204},
	"GET /api/x/alerts":                                  {server.AlertRead, "/api/x/alerts", "", 200},
	"GET /api/x/alerts/export":                           {server.AlertRead, "/api/x/alerts/export?format=jsonl", "", 200},
	"GET /api/x/alerts/summary":                          {server.AlertRead, "/api/x/alerts/summary", "", 200},
	"GET /api/x/alerts/{id}":                             {server.AlertRead, "/api/x/alerts/da1_-1", "", 200},
	"PATCH /api/x/alerts/{id}":                           {server.AlertWrite, "/api/x/alerts/da1_-1", `{"status":"Resolved"}`, 200},
	"POST /api/x/alerts/update":                          {server.AlertWrite, "/api/x/alerts/update", `{"alert_ids":["da1_-1"],"status":"Resolved"}`, 204},
	"POST /api/x/alerts":                                 {server.AlertWrite, "/api/x/alerts", newAlertBody, 201},
	"GET /api/x/indicators":                              {indicating, "/api/x/indicators", "", 200},
	"GET /api/x/indicators/export":                       {indicating, "/api/x/indicators/export", "", 200},
	"GET /api/x/indicators/{id}":                         {indicating, "/api/x/indicators/1", "", 200},
	"POST /api/x/indicators":                             {indicating, "/api/x/indicators", `{"type":"IpAddress","value":"192.0.2.7","action":"Block","title":"t","description":"d"}`, 201},
	"PUT /api/x/indicators/{id}":                         {indicating, "/api/x/indicators/1", `{"type":"IpAddress","value":"192.0.2.7","action":"Block","title":"t","description":"d"}`, 200},
	"DELETE /api/x/indicators/{id}":                      {indicating, "/api/x/indicators/1", "", 204},
	"POST /api/x/indicators/import":                      {indicating, "/api/x/indicators/import", `{"indicators":[]}`, 200},
	"GET /api/indicators":                                {indicating, "/api/Indicators?$filter=indicatorType%20eq%20%27IpAddress%27", "", 200},
	"GET /api/indicators/{id}":                           {indicating, "/api/indicators/1", "", 200},
	"POST /api/indicators":                               {indicating, "/api/indicators", `{"indicatorValue":"192.0.2.7","indicatorType":"IpAddress","action":"Block","title":"t","description":"d"}`, 200},
	"POST /api/indicators/import":                        {indicating, "/api/indicators/import", `{"Indicators":[]}`, 200},
	"POST /api/indicators/BatchDelete":                   {indicating, "/api/indicators/BatchDelete", `{"IndicatorIds":["1"]}`, 204},
	"DELETE /api/indicators/{id}":                        {indicating, "/api/indicators/1", "", 204},
	"GET /api/x/techniques":                              {server.MachineRead, "/api/x/techniques", "", 200},
	"GET /api/alerts":                                    {server.AlertRead, "/api/alerts?$expand=evidence", "", 200},
	"GET /api/alerts/{id}":                               {server.AlertRead, "/api/alerts/da1_-1", "", 200},
	"GET /api/alerts/{id}/machine":                       {server.MachineRead, "/api/alerts/da1_-1/machine", "", 200},
	"GET /api/alerts/{id}/user":                          {server.AccountRead, "/api/alerts/da1_-1/user", "", 200},
	"GET /api/alerts/{id}/files":                         {server.FileRead, "/api/alerts/da1_-1/files", "", 200},
	"GET /api/alerts/{id}/domains":                       {server.URLRead, "/api/alerts/da1_-1/domains", "", 200},
	"GET /api/alerts/{id}/ips":                           {server.AddressRead, "/api/alerts/da1_-1/ips", "", 200},
	"GET /api/files/{id}/alerts":                         {server.AlertRead, "/api/files/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/alerts", "", 200},
	"GET /api/domains/{id}/alerts":                       {server.AlertRead, "/api/domains/evil.example/alerts", "", 200},
	"GET /api/ips/{id}/alerts":                           {server.AlertRead, "/api/ips/192.0.2.7/alerts?$expand=evidence", "", 200},
	"GET /api/users/{id}/alerts":                         {server.AlertRead, "/api/users/alice/alerts", "", 200},
	"GET /api/machines/{id}/alerts":                      {server.AlertRead, "/api/machines/srv-01/alerts", "", 200},
	"PATCH /api/alerts/{id}":                             {server.AlertWrite, "/api/alerts/da1_-1", `{"status":"Resolved"}`, 200},
	"POST /api/alerts/batchUpdate":                       {server.AlertWrite, "/api/alerts/batchUpdate", `{"alertIds":["da1_-1"],"status":"Resolved"}`, 200},
	"POST /api/alerts/CreateAlertByReference":            {server.AlertWrite, "/api/alerts/createAlertByReference", referenceBody, 200},
	"GET /api/x/devices/{id}/health":                     {server.MachineRead, "/api/x/devices/srv-01/health", "", 200},
	"GET /api/x/devices/{id}/logonusers":                 {server.MachineRead, "/api/x/devices/srv-01/logonusers", "", 200},
	"GET /api/x/devices/{id}/software":                   {server.SoftwareRead, "/api/x/devices/srv-01/software", "", 200},
	"GET /api/x/devices/{id}/software/export":            {server.SoftwareRead, "/api/x/devices/" + string(deviceID(1)) + "/software/export?format=jsonl", "", 200},
	"GET /api/x/devices/{id}/software/{product}":         {server.SoftwareRead, "/api/x/devices/srv-01/software/debian-_-openssl", "", 200},
	"GET /api/x/devices/{id}/updates":                    {server.SoftwareRead, "/api/x/devices/srv-01/updates", "", 200},
	"GET /api/x/devices/{id}/updates/export":             {server.SoftwareRead, "/api/x/devices/" + string(deviceID(1)) + "/updates/export", "", 200},
	"GET /api/x/software/{id}/updates":                   {server.SoftwareRead, "/api/x/software/debian-_-openssl/updates", "", 200},
	"GET /api/x/software/{id}/updates/export":            {server.SoftwareRead, "/api/x/software/debian-_-openssl/updates/export", "", 200},
	"GET /api/x/devices/{id}/vulnerabilities":            {server.VulnerabilityRead, "/api/x/devices/srv-01/vulnerabilities", "", 200},
	"GET /api/x/devices/{id}/vulnerabilities/export":     {server.VulnerabilityRead, "/api/x/devices/" + string(deviceID(1)) + "/vulnerabilities/export", "", 200},
	"GET /api/x/devices/{id}/vulnerabilities/{weakness}": {server.VulnerabilityRead, "/api/x/devices/srv-01/vulnerabilities/CVE-2024-1000", "", 200},
	"GET /api/x/devices/{id}/closed":                     {server.VulnerabilityRead, "/api/x/devices/srv-01/closed", "", 200},
	"GET /api/x/devices/{id}/closed/export":              {server.VulnerabilityRead, "/api/x/devices/" + string(deviceID(1)) + "/closed/export", "", 200},
	"GET /api/x/software":                                {server.SoftwareRead, "/api/x/software", "", 200},
	"GET /api/x/software/export":                         {server.SoftwareRead, "/api/x/software/export", "", 200},
	"GET /api/x/software/{id}":                           {server.SoftwareRead, "/api/x/software/debian-_-openssl", "", 200},
	"GET /api/x/software/{id}/devices":                   {server.SoftwareRead, "/api/x/software/debian-_-openssl/devices", "", 200},
	"GET /api/x/software/{id}/devices/export":            {server.SoftwareRead, "/api/x/software/debian-_-openssl/devices/export", "", 200},
	"GET /api/x/software/{id}/vulnerabilities":           {server.VulnerabilityRead, "/api/x/software/debian-_-openssl/vulnerabilities", "", 200},
	"GET /api/x/software/{id}/vulnerabilities/export":    {server.VulnerabilityRead, "/api/x/software/debian-_-openssl/vulnerabilities/export", "", 200},
	"GET /api/x/software/{id}/versions":                  {server.SoftwareRead, "/api/x/software/debian-_-openssl/versions", "", 200},
	"GET /api/x/software/{id}/versions/export":           {server.SoftwareRead, "/api/x/software/debian-_-openssl/versions/export", "", 200},
	"GET /api/x/software/{id}/recommendations":           {server.RecommendationRead, "/api/x/software/debian-_-openssl/recommendations", "", 200},
	"GET /api/x/software/{id}/recommendations/export":    {server.RecommendationRead, "/api/x/software/debian-_-openssl/recommendations/export", "", 200},
	"GET /api/x/weaknesses":                              {server.VulnerabilityRead, "/api/x/weaknesses", "", 200},
	"GET /api/x/weaknesses/export":                       {server.VulnerabilityRead, "/api/x/weaknesses/export", "", 200},
	"GET /api/x/weaknesses/{id}":                         {server.VulnerabilityRead, "/api/x/weaknesses/CVE-2024-1000", "", 200},
	"GET /api/x/weaknesses/{id}/devices":                 {server.VulnerabilityRead, "/api/x/weaknesses/CVE-2024-1000/devices", "", 200},
	"GET /api/x/weaknesses/{id}/devices/export":          {server.VulnerabilityRead, "/api/x/weaknesses/CVE-2024-1000/devices/export", "", 200},
	"GET /api/x/weaknesses/{id}/software":                {server.VulnerabilityRead, "/api/x/weaknesses/CVE-2024-1000/software", "", 200},
	"GET /api/x/weaknesses/{id}/software/export":         {server.VulnerabilityRead, "/api/x/weaknesses/CVE-2024-1000/software/export", "", 200},

	"GET /api/x/events":                                      {server.VulnerabilityRead, "/api/x/events", "", 200},
	"GET /api/x/events/export":                               {server.VulnerabilityRead, "/api/x/events/export", "", 200},
	"GET /api/x/event-counts":                                {server.VulnerabilityRead, "/api/x/event-counts", "", 200},
	"GET /api/x/events/{id}":                                 {server.VulnerabilityRead, "/api/x/events/ev-1", "", 200},
	"GET /api/x/events/{id}/vulnerabilities":                 {server.VulnerabilityRead, "/api/x/events/ev-1/vulnerabilities", "", 200},
	"GET /api/x/events/{id}/vulnerabilities/export":          {server.VulnerabilityRead, "/api/x/events/ev-1/vulnerabilities/export", "", 200},
	"GET /api/x/dashboard":                                   {server.ScoreRead, "/api/x/dashboard", "", 200},
	"GET /api/x/exposure-score":                              {server.ScoreRead, "/api/x/exposure-score", "", 200},
	"GET /api/x/secure-score":                                {server.ScoreRead, "/api/x/secure-score", "", 200},
	"GET /api/x/exposure-score/groups":                       {server.ScoreRead, "/api/x/exposure-score/groups", "", 200},
	"GET /api/x/exposure-score/groups/export":                {server.ScoreRead, "/api/x/exposure-score/groups/export", "", 200},
	"GET /api/x/exposure-score/devices":                      {server.ScoreRead, "/api/x/exposure-score/devices", "", 200},
	"GET /api/x/exposure-score/devices/export":               {server.ScoreRead, "/api/x/exposure-score/devices/export", "", 200},
	"GET /api/x/devices/{id}/score/terms":                    {server.ScoreRead, "/api/x/devices/srv-01/score/terms", "", 200},
	"GET /api/x/devices/{id}/score/terms/export":             {server.ScoreRead, "/api/x/devices/" + string(deviceID(1)) + "/score/terms/export", "", 200},
	"GET /api/x/secure-score/checks":                         {server.RecommendationRead, "/api/x/secure-score/checks", "", 200},
	"GET /api/x/secure-score/checks/export":                  {server.RecommendationRead, "/api/x/secure-score/checks/export", "", 200},
	"GET /api/x/secure-score/checks/{id}":                    {server.RecommendationRead, "/api/x/secure-score/checks/scid-1001", "", 200},
	"GET /api/x/secure-score/checks/{id}/devices":            {server.RecommendationRead, "/api/x/secure-score/checks/scid-1001/devices", "", 200},
	"GET /api/x/secure-score/checks/{id}/devices/export":     {server.RecommendationRead, "/api/x/secure-score/checks/scid-1001/devices/export", "", 200},
	"GET /api/x/device-weights":                              {server.ScoreRead, "/api/x/device-weights", "", 200},
	"PUT /api/x/device-weights":                              {securityOfAll, "/api/x/device-weights", `{"low":0.75,"normal":1,"high":0}`, 200},
	"GET /api/x/devices/{id}/checks":                         {server.RecommendationRead, "/api/x/devices/srv-01/checks", "", 200},
	"GET /api/x/devices/{id}/checks/export":                  {server.RecommendationRead, "/api/x/devices/" + string(deviceID(1)) + "/checks/export", "", 200},
	"GET /api/x/devices/{id}/score":                          {server.ScoreRead, "/api/x/devices/srv-01/score", "", 200},
	"POST /api/x/devices/{id}/nudge":                         {tagging, "/api/x/devices/srv-01/nudge", `{}`, 200},
	"PUT /api/x/devices/{id}/value":                          {tagging, "/api/x/devices/srv-01/value", `{"value":"High"}`, 204},
	"PUT /api/x/devices/{id}/exclusion":                      {tagging, "/api/x/devices/srv-01/exclusion", `{"reason":"duplicate"}`, 204},
	"DELETE /api/x/devices/{id}/exclusion":                   {tagging, "/api/x/devices/srv-01/exclusion", "", 204},
	"GET /api/x/devices/{id}/recommendations":                {server.RecommendationRead, "/api/x/devices/srv-01/recommendations", "", 200},
	"GET /api/x/devices/{id}/recommendations/export":         {server.RecommendationRead, "/api/x/devices/" + string(deviceID(1)) + "/recommendations/export", "", 200},
	"POST /api/x/what-if":                                    {server.RecommendationRead, "/api/x/what-if", `{"recommendations":["va-_-debian-_-openssl"]}`, 200},
	"POST /api/x/plans/draft":                                {server.RecommendationRead, "/api/x/plans/draft", `{"target":30}`, 200},
	"POST /api/x/plans":                                      {server.RecommendationWrite, "/api/x/plans", `{"draft":"x","name":"n"}`, 201},
	"GET /api/x/plans":                                       {server.RecommendationRead, "/api/x/plans", "", 200},
	"GET /api/x/plans/export":                                {server.RecommendationRead, "/api/x/plans/export", "", 200},
	"GET /api/x/plans/{id}":                                  {server.RecommendationRead, "/api/x/plans/1", "", 200},
	"GET /api/x/plans/{id}/steps":                            {server.RecommendationRead, "/api/x/plans/1/steps", "", 200},
	"GET /api/x/plans/{id}/steps/export":                     {server.RecommendationRead, "/api/x/plans/1/steps/export", "", 200},
	"DELETE /api/x/plans/{id}":                               {server.RecommendationWrite, "/api/x/plans/1", "", 204},
	"GET /api/x/plan-searches/{id}":                          {server.RecommendationRead, "/api/x/plan-searches/1", "", 200},
	"GET /api/x/plans/{id}/remediation":                      {server.RemediationWrite, "/api/x/plans/1/remediation", "", 200},
	"POST /api/x/plans/{id}/remediation":                     {server.RemediationWrite, "/api/x/plans/1/remediation", `{"steps":["x"],"priority":"High"}`, 201},
	"GET /api/x/recommendations":                             {server.RecommendationRead, "/api/x/recommendations", "", 200},
	"GET /api/x/recommendations/export":                      {server.RecommendationRead, "/api/x/recommendations/export", "", 200},
	"GET /api/x/recommendations/{id}":                        {server.RecommendationRead, "/api/x/recommendations/va-_-debian-_-openssl", "", 200},
	"GET /api/x/recommendations/{id}/devices":                {server.RecommendationRead, "/api/x/recommendations/va-_-debian-_-openssl/devices", "", 200},
	"GET /api/x/recommendations/{id}/devices/export":         {server.RecommendationRead, "/api/x/recommendations/va-_-debian-_-openssl/devices/export", "", 200},
	"GET /api/x/recommendations/{id}/vulnerabilities":        {server.RecommendationRead, "/api/x/recommendations/va-_-debian-_-openssl/vulnerabilities", "", 200},
	"GET /api/x/recommendations/{id}/vulnerabilities/export": {server.RecommendationRead, "/api/x/recommendations/va-_-debian-_-openssl/vulnerabilities/export", "", 200},

	"GET /api/x/action-kinds":                             {server.MachineRead, "/api/x/action-kinds", "", 200},
	"GET /api/x/devices/{id}/action-kinds":                {server.MachineRead, "/api/x/devices/srv-01/action-kinds", "", 200},
	"POST /api/x/devices/{id}/actions":                    {server.MachineCollect, "/api/x/devices/srv-01/actions", `{"kind":"collect","comment":"c"}`, 201},
	"POST /api/x/machine-actions":                         {server.MachineCollect, "/api/x/machine-actions", `{"devices":["srv-01"],"kind":"collect","comment":"c"}`, 201},
	"POST /api/x/devices/{id}/investigations":             {server.AlertWrite, "/api/x/devices/srv-01/investigations", `{"comment":"c"}`, 201},
	"GET /api/x/investigations":                           {server.AlertRead, "/api/x/investigations", "", 200},
	"GET /api/x/investigations/export":                    {server.AlertRead, "/api/x/investigations/export", "", 200},
	"GET /api/x/investigations/{id}":                      {server.AlertRead, "/api/x/investigations/7", "", 200},
	"GET /api/investigations":                             {server.AlertRead, "/api/investigations", "", 200},
	"GET /api/investigations/{id}":                        {server.AlertRead, "/api/investigations/7", "", 200},
	"POST /api/machines/{id}/startInvestigation":          {server.AlertWrite, "/api/machines/" + string(deviceID(1)) + "/startInvestigation", `{"Comment":"c"}`, 201},
	"GET /api/x/machine-actions":                          {server.MachineRead, "/api/x/machine-actions", "", 200},
	"GET /api/x/machine-actions/export":                   {server.MachineRead, "/api/x/machine-actions/export", "", 200},
	"GET /api/x/machine-actions/{id}":                     {server.MachineRead, "/api/x/machine-actions/" + actionID, "", 200},
	"GET /api/x/machine-actions/{id}/package":             {server.MachineCollect, "/api/x/machine-actions/" + actionID + "/package", "", 200},
	"POST /api/x/machine-actions/{id}/cancel":             {cancelling, "/api/x/machine-actions/" + actionID + "/cancel", `{"comment":"c"}`, 200},
	"GET /api/x/package-retention":                        {manager, "/api/x/package-retention", "", 200},
	"PUT /api/x/package-retention":                        {manager, "/api/x/package-retention", `{"days":30,"most_bytes":268435456,"total_bytes":21474836480}`, 200},
	"GET /api/machineactions":                             {server.MachineRead, "/api/machineactions", "", 200},
	"GET /api/machineactions/{id}":                        {server.MachineRead, "/api/machineActions/" + actionID, "", 200},
	"POST /api/machineactions/{id}/cancel":                {cancelling, "/api/machineactions/" + actionID + "/cancel", `{"Comment":"c"}`, 200},
	"GET /api/machineactions/{id}/getPackageUri":          {server.MachineCollect, "/api/machineactions/" + actionID + "/getPackageUri", "", 200},
	"POST /api/machines/{id}/isolate":                     {server.MachineIsolate, "/api/machines/srv-01/isolate", `{"Comment":"c","IsolationType":"Full"}`, 201},
	"POST /api/machines/{id}/unisolate":                   {server.MachineIsolate, "/api/machines/srv-01/unisolate", `{"Comment":"c"}`, 201},
	"POST /api/machines/{id}/runAntiVirusScan":            {server.MachineScan, "/api/machines/srv-01/runAntiVirusScan", `{"Comment":"c","ScanType":"Quick"}`, 201},
	"POST /api/machines/{id}/collectInvestigationPackage": {server.MachineCollect, "/api/machines/srv-01/collectInvestigationPackage", `{"Comment":"c"}`, 201},

	"GET /api/x/approvals":                {server.MachineRead, "/api/x/approvals", "", 200},
	"GET /api/x/approvals/export":         {server.MachineRead, "/api/x/approvals/export", "", 200},
	"GET /api/x/approvals/{id}":           {server.MachineRead, "/api/x/approvals/1", "", 200},
	"POST /api/x/approvals/{id}/approve":  {deciding, "/api/x/approvals/1/approve", `{}`, 200},
	"POST /api/x/approvals/{id}/refuse":   {deciding, "/api/x/approvals/1/refuse", `{"note":"n"}`, 200},
	"POST /api/x/approvals/{id}/withdraw": {server.MachineRead, "/api/x/approvals/1/withdraw", "", 200},
	"GET /api/x/approval-policy":          {manager, "/api/x/approval-policy", "", 200},
	"PUT /api/x/approval-policy":          {manager, "/api/x/approval-policy", `{"rules":[{"all_actions":true,"actions":[],"all_devices":true,"groups":[],"hours":24}]}`, 200},
	"GET /api/x/lockdown":                 {server.MachineRead, "/api/x/lockdown", "", 200},
	"POST /api/x/lockdown":                {manager, "/api/x/lockdown", `{"reason":"r"}`, 200},
	"POST /api/x/lockdown/lift":           {manager, "/api/x/lockdown/lift", "", 200},
	"DELETE /api/x/lockdown/lift":         {manager, "/api/x/lockdown/lift", "", 200},

	"GET /api/x/device-groups":                          {server.MachineRead, "/api/x/device-groups", "", 200},
	"POST /api/x/device-groups":                         {manager, "/api/x/device-groups", ruleBody, 201},
	"PUT /api/x/device-groups/{id}":                     {manager, "/api/x/device-groups/7", ruleBody, 200},
	"DELETE /api/x/device-groups/{id}":                  {manager, "/api/x/device-groups/7", "", 204},
	"PUT /api/x/device-groups/order":                    {manager, "/api/x/device-groups/order", `{"order":[7]}`, 204},
	"POST /api/x/device-groups/preview":                 {manager, "/api/x/device-groups/preview", `{"rules":[]}`, 200},
	"GET /api/x/tag-rules":                              {server.MachineRead, "/api/x/tag-rules", "", 200},
	"GET /api/x/operating-systems":                      {server.MachineRead, "/api/x/operating-systems", "", 200},
	"POST /api/x/tag-rules":                             {securityOfAll, "/api/x/tag-rules", ruleBody, 201},
	"PUT /api/x/tag-rules/{id}":                         {securityOfAll, "/api/x/tag-rules/1", ruleBody, 200},
	"DELETE /api/x/tag-rules/{id}":                      {securityOfAll, "/api/x/tag-rules/1", "", 204},
	"POST /api/x/tag-rules/preview":                     {securityOfAll, "/api/x/tag-rules/preview", `{"id":1,"rules":[]}`, 200},
	"GET /api/x/tags":                                   {server.MachineRead, "/api/x/tags", "", 200},
	"POST /api/x/tags":                                  {tagging, "/api/x/tags", `{"devices":["srv-01"],"add":["a"]}`, 200},
	"GET /api/x/exceptions":                             {server.RecommendationRead, "/api/x/exceptions?status=InEffect", "", 200},
	"GET /api/x/exceptions/export":                      {server.RecommendationRead, "/api/x/exceptions/export", "", 200},
	"GET /api/x/exceptions/{id}":                        {server.RecommendationRead, "/api/x/exceptions/1", "", 200},
	"GET /api/x/exceptions/{id}/targets":                {server.RecommendationRead, "/api/x/exceptions/1/targets", "", 200},
	"GET /api/x/exceptions/{id}/targets/export":         {server.RecommendationRead, "/api/x/exceptions/1/targets/export", "", 200},
	"POST /api/x/exceptions":                            {server.ManageExceptions, "/api/x/exceptions", `{"recommendation":"va-_-debian-_-openssl","scope":"Global","justification":"RiskAccepted","days":30}`, 201},
	"POST /api/x/exceptions/{id}/cancel":                {server.ManageExceptions, "/api/x/exceptions/1/cancel", `{"groups":[1]}`, 200},
	"GET /api/x/remediations":                           {server.RemediationRead, "/api/x/remediations", "", 200},
	"GET /api/x/remediations/export":                    {server.RemediationRead, "/api/x/remediations/export", "", 200},
	"GET /api/x/remediations/{id}":                      {server.RemediationRead, "/api/x/remediations/00000000-0000-4000-8000-000000000001", "", 200},
	"GET /api/x/remediations/{id}/devices":              {server.RemediationRead, "/api/x/remediations/00000000-0000-4000-8000-000000000001/devices", "", 200},
	"GET /api/x/remediations/{id}/devices/export":       {server.RemediationRead, "/api/x/remediations/00000000-0000-4000-8000-000000000001/devices/export", "", 200},
	"GET /api/x/recommendations/{id}/remediation":       {server.RemediationWrite, "/api/x/recommendations/va-_-debian-_-openssl/remediation", "", 200},
	"POST /api/x/remediations":                          {server.RemediationWrite, "/api/x/remediations", `{"recommendation_id":"va-_-debian-_-openssl","type":"Update","priority":"High"}`, 201},
	"PUT /api/x/remediations/{id}":                      {server.RemediationWrite, "/api/x/remediations/1", `{"priority":"High"}`, 200},
	"POST /api/x/remediations/{id}/complete":            {server.RemediationWrite, "/api/x/remediations/1/complete", `{}`, 200},
	"POST /api/x/remediations/{id}/reopen":              {server.RemediationWrite, "/api/x/remediations/1/reopen", `{}`, 200},
	"POST /api/x/remediations/{id}/tickets/{sub}/retry": {server.RemediationWrite, "/api/x/remediations/1/tickets/2/retry", "", 200},
	"GET /api/remediationTasks":                         {server.RemediationRead, "/api/RemediationTasks?$filter=status%20eq%20%27Active%27", "", 200},
	"GET /api/remediationTasks/{id}":                    {server.RemediationRead, "/api/remediationtasks/00000000-0000-4000-8000-000000000001", "", 200},
	"GET /api/remediationTasks/{id}/machineReferences":  {server.RemediationRead, "/api/remediationTasks/00000000-0000-4000-8000-000000000001/machineReferences", "", 200},
	"GET /api/x/ticketing":                              {manager, "/api/x/ticketing", "", 200},
	"POST /api/x/ticketing":                             {manager, "/api/x/ticketing", `{"kind":"webhook","name":"n","enabled":true,"config":{}}`, 201},
	"PUT /api/x/ticketing/{id}":                         {manager, "/api/x/ticketing/1", `{"kind":"webhook","name":"n","enabled":true,"config":{}}`, 200},
	"POST /api/x/ticketing/{id}/test":                   {manager, "/api/x/ticketing/1/test", "", 200},
	"DELETE /api/x/ticketing/{id}":                      {manager, "/api/x/ticketing/1", "", 204},

	"GET /api/x/people":                    {manager, "/api/x/people", "", 200},
	"GET /api/x/people/export":             {manager, "/api/x/people/export", "", 200},
	"POST /api/x/people":                   {manager, "/api/x/people", `{"name":"a b"}`, 422},
	"GET /api/x/people/{id}":               {manager, "/api/x/people/9000", "", 404},
	"PUT /api/x/people/{id}":               {manager, "/api/x/people/9000", `{"disabled":false}`, 404},
	"DELETE /api/x/people/{id}":            {manager, "/api/x/people/9000", "", 404},
	"POST /api/x/people/{id}/link":         {manager, "/api/x/people/9000/link", `{}`, 404},
	"DELETE /api/x/people/{id}/sessions":   {manager, "/api/x/people/9000/sessions", "", 404},
	"GET /api/x/role-permissions":          {manager, "/api/x/role-permissions", "", 200},
	"GET /api/x/roles":                     {manager, "/api/x/roles", "", 200},
	"POST /api/x/roles":                    {manager, "/api/x/roles", `{"name":"r","permissions":["x"]}`, 422},
	"PUT /api/x/roles/{id}":                {manager, "/api/x/roles/9000", `{"name":"r","permissions":[]}`, 404},
	"DELETE /api/x/roles/{id}":             {manager, "/api/x/roles/9000", "", 404},
	"GET /api/x/user-groups":               {manager, "/api/x/user-groups", "", 200},
	"POST /api/x/user-groups":              {manager, "/api/x/user-groups", `{"name":" "}`, 422},
	"PUT /api/x/user-groups/{id}":          {manager, "/api/x/user-groups/9000", `{"name":"g"}`, 404},
	"DELETE /api/x/user-groups/{id}":       {manager, "/api/x/user-groups/9000", "", 404},
	"PUT /api/x/device-groups/{id}/access": {manager, "/api/x/device-groups/7/access", `{"user_groups":[]}`, 200},

	"GET /api/x/intel":                    {manager, "/api/x/intel", "", 200},
	"POST /api/x/intel/sync":              {manager, "/api/x/intel/sync", "", 202},
	"DELETE /api/x/jobs/{id}":             {manager, "/api/x/jobs/1", "", 204},
	"GET /api/x/inaccuracies":             {securityOfAll, "/api/x/inaccuracies", "", 200},
	"GET /api/x/inaccuracies/export":      {securityOfAll, "/api/x/inaccuracies/export", "", 200},
	"POST /api/x/inaccuracies":            {server.ManageSecurity, "/api/x/inaccuracies", `{"kind":"weakness","subject":"CVE-2024-1000","category":"other","details":"no"}`, 201},
	"GET /api/x/inaccuracies/{id}/file":   {securityOfAll, "/api/x/inaccuracies/1/file", "", 200},
	"PUT /api/x/inaccuracies/{id}/status": {securityOfAll, "/api/x/inaccuracies/1/status", `{"status":"resolved"}`, 204},

	"GET /api/x/forwarding":                         {manager, "/api/x/forwarding", "", 200},
	"POST /api/x/forwarding":                        {manager, "/api/x/forwarding", `{"kind":"syslog","name":"n","enabled":true,"classes":["audit"],"config":{"host":"h"}}`, 201},
	"PUT /api/x/forwarding/{id}":                    {manager, "/api/x/forwarding/1", `{"kind":"syslog","name":"n","enabled":true,"classes":["audit"],"config":{"host":"h"}}`, 200},
	"DELETE /api/x/forwarding/{id}":                 {manager, "/api/x/forwarding/1", "", 204},
	"POST /api/x/forwarding/{id}/test":              {manager, "/api/x/forwarding/1/test", "", 200},
	"GET /api/x/applications":                       {manager, "/api/x/applications", "", 200},
	"POST /api/x/applications":                      {manager, "/api/x/applications", `{"name":"n","permissions":["Machine.Read.All"]}`, 201},
	"PUT /api/x/applications/{id}":                  {manager, "/api/x/applications/none", `{"name":"n","permissions":["Machine.Read.All"]}`, 404},
	"DELETE /api/x/applications/{id}":               {manager, "/api/x/applications/none", "", 404},
	"POST /api/x/applications/{id}/secrets":         {manager, "/api/x/applications/none/secrets", `{}`, 404},
	"DELETE /api/x/applications/{id}/secrets/{sub}": {manager, "/api/x/applications/none/secrets/none", "", 404},
	"GET /api/x/api-settings":                       {manager, "/api/x/api-settings", "", 200},
	"PUT /api/x/api-settings/limits":                {manager, "/api/x/api-settings/limits", `{"preset":"plain","per_minute":100000}`, 204},
	"POST /api/x/api-settings/rotate-key":           {manager, "/api/x/api-settings/rotate-key", `{}`, 200},
	"GET /api/x/me/tokens":                          {person, "/api/x/me/tokens", "", 200},
	"POST /api/x/me/tokens":                         {person, "/api/x/me/tokens", `{"name":"n","permissions":["Machine.Read.All"],"days":1}`, 201},
	"DELETE /api/x/me/tokens/{id}":                  {person, "/api/x/me/tokens/none", "", 404},

	"GET /api/x/onboarding":     {server.ManageSecurity, "/api/x/onboarding", "", 200},
	"GET /api/x/tokens":         {server.ManageSecurity, "/api/x/tokens", "", 200},
	"POST /api/x/tokens":        {server.ManageSecurity, "/api/x/tokens", `{"note":"n","max_uses":1,"hours":1}`, 201},
	"DELETE /api/x/tokens/{id}": {server.ManageSecurity, "/api/x/tokens/1", "", 204},

	"GET /api/machines":                                    {server.MachineRead, "/api/v1.0/Machines/", "", 200},
	"GET /api/machines/findbytag":                          {server.MachineRead, "/API/machines/FindByTag?tag=vip", "", 200},
	"GET /api/machines/findbyip(…)":                        {server.MachineRead, "/api/machines/findbyip(ip='10.0.0.1',timestamp=2026-01-02T03:00:00Z)", "", 200},
	"GET /api/machines/{id}":                               {server.MachineRead, "/api/machines/srv-01.corp.example", "", 200},
	"GET /api/machines/{id}/recommendations":               {server.RecommendationRead, "/api/machines/" + string(deviceID(1)) + "/recommendations", "", 200},
	"PATCH /api/machines/{id}":                             {server.MachineReadWrite, "/api/machines/" + string(deviceID(1)), `{"deviceValue":"High","machineTags":["a"]}`, 200},
	"POST /api/advancedqueries/run":                        {server.AdvancedQuery, "/api/v1.0/AdvancedQueries/run", `{"Query":"print x = 1"}`, 200},
	"POST /api/advancedhunting/run":                        {server.AdvancedQuery, "/api/advancedhunting/run", `{"Query":"print x = 1"}`, 200},
	"POST /api/machines/{id}/tags":                         {server.MachineReadWrite, "/api/machines/" + string(deviceID(1)) + "/tags", `{"Value":"vip","Action":"Add"}`, 200},
	"POST /api/machines/AddOrRemoveTagForMultipleMachines": {server.MachineReadWrite, "/api/Machines/addorremovetagformultiplemachines", `{"Value":"vip","Action":"Remove","MachineIds":["` + string(deviceID(1)) + `"]}`, 204},
	"POST /api/machines/{id}/setDeviceValue":               {server.MachineReadWrite, "/api/machines/" + string(deviceID(1)) + "/setDeviceValue", `{"DeviceValue":"High"}`, 200},
	"GET /api/recommendations":                             {server.RecommendationRead, "/api/recommendations?$filter=remediationType%20eq%20%27Update%27", "", 200},
	"GET /api/recommendations/{id}":                        {server.RecommendationRead, "/api/recommendations/va-_-debian-_-openssl", "", 200},
	"GET /api/recommendations/{id}/software":               {server.RecommendationRead, "/api/recommendations/va-_-debian-_-openssl/software", "", 200},
	"GET /api/recommendations/{id}/machineReferences":      {server.RecommendationRead, "/api/recommendations/va-_-debian-_-openssl/machineReferences", "", 200},
	"GET /api/recommendations/{id}/vulnerabilities":        {server.RecommendationRead, "/api/recommendations/va-_-debian-_-openssl/vulnerabilities", "", 200},
	"GET /api/configurationScore":                          {server.ScoreRead, "/api/configurationScore", "", 200},
	"GET /api/exposureScore":                               {server.ScoreRead, "/api/exposureScore", "", 200},
	"GET /api/machines/{id}/software":                      {server.SoftwareRead, "/api/machines/" + string(deviceID(1)) + "/software", "", 200},
	"GET /api/machines/{id}/vulnerabilities":               {server.VulnerabilityRead, "/api/machines/" + string(deviceID(1)) + "/vulnerabilities", "", 200},
	"GET /api/software":                                    {server.SoftwareRead, "/api/Software", "", 200},
	"GET /api/software/{id}":                               {server.SoftwareRead, "/api/software/npm-_-%40babel%2Fcore", "", 200},
	"GET /api/software/{id}/distributions":                 {server.SoftwareRead, "/api/software/debian-_-openssl/distributions", "", 200},
	"GET /api/software/{id}/machineReferences":             {server.SoftwareRead, "/api/software/debian-_-openssl/machinereferences", "", 200},
	"GET /api/software/{id}/vulnerabilities":               {server.VulnerabilityRead, "/api/software/debian-_-openssl/vulnerabilities", "", 200},
	"GET /api/vulnerabilities":                             {server.VulnerabilityRead, "/api/vulnerabilities?$top=1&", "", 200},
	"GET /api/vulnerabilities/machinesVulnerabilities":     {server.VulnerabilityRead, "/api/vulnerabilities/machinesvulnerabilities", "", 200},
	"GET /api/vulnerabilities/{id}":                        {server.VulnerabilityRead, "/api/vulnerabilities/cve-2024-1000", "", 200},
	"GET /api/vulnerabilities/{id}/machineReferences":      {server.VulnerabilityRead, "/api/vulnerabilities/CVE-2024-1000/machineReferences", "", 200},

	"GET /api/exposureScore/ByMachineGroups":                    {server.ScoreRead, "/api/exposureScore/bymachinegroups", "", 200},
	"GET /api/machines/{id}/getmissingkbs":                      {server.SoftwareRead, "/api/machines/" + string(deviceID(1)) + "/getmissingkbs", "", 200},
	"GET /api/software/{id}/getmissingkbs":                      {server.SoftwareRead, "/api/software/debian-_-openssl/getmissingkbs", "", 200},
	"GET /api/machines/SoftwareVulnerabilitiesByMachine":        {server.VulnerabilityRead, "/api/machines/SoftwareVulnerabilitiesByMachine", "", 200},
	"GET /api/machines/SoftwareVulnerabilityChangesByMachine":   {server.VulnerabilityRead, "/api/machines/SoftwareVulnerabilityChangesByMachine?sinceTime=2026-01-01T00:00:00Z", "", 200},
	"GET /api/machines/SoftwareVulnerabilitiesExport":           {server.VulnerabilityRead, "/api/machines/SoftwareVulnerabilitiesExport", "", 200},
	"GET /api/machines/SoftwareInventoryByMachine":              {server.SoftwareRead, "/api/machines/SoftwareInventoryByMachine", "", 200},
	"GET /api/machines/SoftwareInventoryExport":                 {server.SoftwareRead, "/api/machines/SoftwareInventoryExport", "", 200},
	"GET /api/machines/SoftwareInventoryNoProductCodeByMachine": {server.SoftwareRead, "/api/machines/SoftwareInventoryNoProductCodeByMachine", "", 200},
	"GET /api/machines/SoftwareInventoryNonCpeExport":           {server.SoftwareRead, "/api/machines/SoftwareInventoryNonCpeExport", "", 200},
	"GET /api/machines/SecureConfigurationsAssessmentByMachine": {server.VulnerabilityRead, "/api/machines/SecureConfigurationsAssessmentByMachine", "", 200},
	"GET /api/machines/SecureConfigurationsAssessmentExport":    {server.VulnerabilityRead, "/api/machines/SecureConfigurationsAssessmentExport", "", 200},
}

// registered lists every route of the API from the registrations themselves.
func registered(t *testing.T) []string {
	t.Helper()
	var out []string
	for path, item := range newConsole(Options{Server: struct{ Backend }{}, Log: discard()}).api.OpenAPI().Paths {
		for method, op := range map[string]any{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "DELETE": item.Delete, "PATCH": item.Patch} {
			if fmt.Sprint(op) != "<nil>" {
				out = append(out, method+" /api/x"+path)
			}
		}
	}
	for _, r := range mde.Routes() {
		out = append(out, r.Method+" /api"+r.Path)
	}
	return out
}

// forge signs claims with this server's own key, so that only they are wrong.
func (w *world) forge(change func(c map[string]any)) string {
	w.t.Helper()
	text, err := w.st.Identity(w.t.Context(), "signing-key")
	if err != nil {
		w.t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		w.t.Fatal(err)
	}
	_, client, _, err := w.fake.CreateApp(w.t.Context(), "forged", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	secrets, err := w.st.AppSecrets(w.t.Context(), client)
	if err != nil || len(secrets) != 1 {
		w.t.Fatal(secrets, err)
	}
	now := time.Now().Unix()
	c := map[string]any{"sec": secrets[0].ID, "iss": "http://picket.test/" + w.tenant + "/v2.0", "aud": "urn:picket:api", "tid": w.tenant, "appid": client,
		"roles": []string{"Machine.Read.All"}, "iat": now, "nbf": now, "exp": now + 3599}
	change(c)
	head, _ := json.Marshal(map[string]string{"alg": "RS256", "kid": w.fake.KeySet().Keys[0].ID})
	body, _ := json.Marshal(c)
	b64 := base64.RawURLEncoding.EncodeToString
	signed := b64(head) + "." + b64(body)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key.(*rsa.PrivateKey), crypto.SHA256, sum[:])
	if err != nil {
		w.t.Fatal(err)
	}
	return signed + "." + b64(sig)
}

func TestEveryRouteAsksWhoCalls(t *testing.T) {
	walk(t)
	listed := map[string]bool{}
	for _, r := range registered(t) {
		if _, ok := table[r]; !ok {
			t.Errorf("route %q is not in the table of who may use it", r)
		}
		listed[r] = true
	}
	w := newWorld(t)
	valid := "Bearer " + w.forge(func(map[string]any) {})
	if a := w.do("GET", "/api/machines", "", "Authorization", valid); a.code != 200 {
		t.Fatalf("a token made by the test itself does not work: %d", a.code)
	}
	expired := "Bearer " + w.forge(func(c map[string]any) {
		c["iat"], c["nbf"], c["exp"] = c["iat"].(int64)-7200, c["nbf"].(int64)-7200, c["exp"].(int64)-7200
	})
	poor := w.app("Library.Manage")
	rich := w.app()
	for name, rt := range table {
		if !listed[name] {
			t.Errorf("the table lists %q, which does not exist", name)
			continue
		}
		method, _, _ := strings.Cut(name, " ")
		ask := func(header ...string) answer {
			return w.stop(w.request(method, rt.target, rt.body, append([]string{"Content-Type", "application/json"}, header...)...))
		}
		check := func(who string, a answer, want int) {
			t.Helper()
			if a.code != want {
				t.Errorf("%s as %s = %d, want %d: %s", name, who, a.code, want, a.body)
			}
			if a.code >= 400 {
				wellFormed(t, name+" as "+who, rt.target, a)
			}
		}
		if rt.need == anyone {
			check("nobody", ask(), rt.ok)
			continue
		}
		check("nobody", ask(), 401)
		check("an expired token", ask("Authorization", expired), 401)
		check("a broken token", ask("Authorization", "Bearer x.y.z"), 401)
		check("basic", ask("Authorization", "Basic eDp5"), 401)
		check("a wrong cookie", ask("Cookie", sessionCookie+"=nonsense"), 401)
		agent := w.request(method, rt.target, rt.body, "Content-Type", "application/json")
		agent.TLS = agentTLS()
		check("an agent's certificate", w.stop(agent), 401)
		denied := ask(poor...)
		check("an application without the permission", denied, 403)
		if !strings.HasPrefix(name, "GET /api/x") && strings.HasPrefix(name, "GET /api/") && !strings.Contains(denied.body, rt.anyOf()[0]) {
			t.Errorf("%s: the refusal does not name %s: %s", name, rt.need, denied.body)
		}
		switch need := rt.anyOf()[0]; {
		case !slices.Contains(server.AppPermissions, need):
			check("an application with every permission", ask(rich...), 403)
		default:
			check("an application with the permission", ask(w.app(need)...), rt.ok)
			for _, other := range server.AppPermissions {
				includes := other == server.MachineReadWrite && need == server.MachineRead || other == server.RemediationWrite && need == server.RemediationRead ||
					other == server.AlertWrite && need == server.AlertRead
				if !slices.Contains(rt.anyOf(), other) && !includes {
					check("an application with "+other, ask(w.app(other)...), 403)
				}
			}
		}
		check("the administrator", ask(w.session()...), rt.ok)
	}
}

// agentTLS is a connection with an agent's certificate.
func agentTLS() *tls.ConnectionState {
	return &tls.ConnectionState{HandshakeComplete: true, PeerCertificates: []*x509.Certificate{{}}, VerifiedChains: [][]*x509.Certificate{{{}}}}
}

// stop sends a request whose context ends when the answer begins, so that streams end.
func (w *world) stop(r *http.Request) answer {
	if strings.HasPrefix(r.URL.Path, "/api/x/live") {
		return w.stream(r, 1)
	}
	return w.send(r)
}

// wellFormed checks the shape of an error.
func wellFormed(t *testing.T, what, target string, a answer) {
	t.Helper()
	if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("X-Request-Id") == "" {
		t.Errorf("%s: headers are missing: %v", what, a.header)
	}
	if strings.HasPrefix(strings.ToLower(target), "/api/x") {
		var p struct{ Title, Instance string }
		if err := json.Unmarshal([]byte(a.body), &p); err != nil || p.Title == "" || p.Instance == "" || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: no problem: %s %s", what, a.header.Get("Content-Type"), a.body)
		}
		return
	}
	var e struct {
		Error struct{ Code, Message, Target string }
	}
	if err := json.Unmarshal([]byte(a.body), &e); err != nil || e.Error.Code == "" || e.Error.Message == "" || e.Error.Target == "" ||
		!strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		t.Errorf("%s: no error: %s %s", what, a.header.Get("Content-Type"), a.body)
	}
}

func TestUnknownPaths(t *testing.T) {
	w := newWorld(t)
	token := w.app()
	for _, target := range []string{"/api", "/api/", "/api/x", "/api/x/", "/api/nothing", "/API/Nothing", "/api/x/nothing", "/api/X/nothing", "/%61pi/nothing", "/api/v1.0", "/api/v1.0/nothing",
		"/api/machines/x/y/z", "/api/machines//software", "/api/x/devices/../status", "/api/x/devices/%2e%2e/status", "/api/x/devices/", "/api/x//devices", "/api/x/devices/a%2Fb/c"} {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"} {
			if a := w.do(method, target, ""); a.code != 401 {
				t.Errorf("%s %s without credentials = %d, want 401", method, target, a.code)
			}
			a := w.do(method, target, "", token...)
			if a.code != 404 || !strings.Contains(a.body, `"error":{"code":"NotFound","message":"`) {
				t.Errorf("%s %s with a token = %d, want 404 in the shape of the Defender API: %s", method, target, a.code, a.body)
			}
			wellFormed(t, method+" "+target, target, a)
		}
	}
	for _, target := range []string{"/api/machines", "/api/x/devices", "/api/x/tokens/1"} {
		if a := w.do("PATCH", target, "", token...); a.code != 404 {
			t.Errorf("PATCH %s = %d, want 404", target, a.code)
		}
	}
	if a := w.do("GET", "/devices/x", ""); a.code != 200 || a.body != "console" {
		t.Errorf("a page = %d %q", a.code, a.body)
	}
}
