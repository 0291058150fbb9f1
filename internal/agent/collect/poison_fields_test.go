package collect

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/rig/pest"
)

// evil is a text without blanks and slashes, so that it is one word and one
// name of a file everywhere.
const evil = "<img/onerror=x>"

var evilName = strings.ReplaceAll(evil, "/", "&")

// ourOwn are the strings of facts that no text of a host gets into, and why.
var ourOwn = map[string]string{
	"os.family": "a constant", "os.arch": "words of Go for what the database or a program's header says", "os.machine_id": "a digest",
	"interfaces.name": "what the kernel says", "interfaces.mac": "bytes in hexadecimal", "interfaces.addresses": "as net.IP writes them",
	"dpkg.paths": "the database", "rpm.paths": "the database", "apk.paths": "the database",
	"updates.installed": "a version that can be compared", "updates.candidate": "a version that can be compared",
}

// ownEverywhere are those that are so in every section.
var ownEverywhere = map[string]string{"eco": "a constant", "unassessed": "only of bills of materials"}

// evilRPM is an rpm database (ndb) of one package whose every string is evil.
func evilRPM() []byte {
	var index, data bytes.Buffer
	put := func(v any) { _ = binary.Write(&index, binary.BigEndian, v) }
	for _, s := range []struct {
		tag  uint32
		text string
	}{{1000, evil}, {1001, evil}, {1002, evil}, {1004, evil}, {1011, evil}, {1022, evil}, {1044, evil + "-" + evil + "-" + evil + ".src.rpm"}, {5096, evil + ":" + evil + ":1:c"}} {
		put([]uint32{s.tag, 6, uint32(data.Len()), 1})
		data.WriteString(s.text + "\x00")
	}
	blob := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(index.Len()/16)), uint32(data.Len()))
	blob = append(append(blob, index.Bytes()...), data.Bytes()...)
	le := binary.LittleEndian
	db := make([]byte, 4096)
	copy(db, "RpmP")
	le.PutUint32(db[12:], 1)
	for at := 32; at < len(db); at += 16 {
		copy(db[at:], "Slot")
	}
	units := (16 + len(blob) + 12 + 15) / 16
	body := make([]byte, units*16)
	copy(body, "BlbS")
	le.PutUint32(body[4:], 1)
	le.PutUint32(body[12:], uint32(len(blob)))
	copy(body[16:], blob)
	le.PutUint32(db[36:], 1)
	le.PutUint32(db[40:], uint32(len(db)/16))
	le.PutUint32(db[44:], uint32(units))
	return append(db, body...)
}

// evilProgram is a Go program whose module and version are evil.
func evilProgram(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.test/demo\n\ngo 1.26\n")
	write(t, dir, "main.go", "package main\n\nfunc main() { println(1) }\n")
	cmd := exec.CommandContext(t.Context(), need(t, "go"), "build", "-trimpath", "-buildvcs=false", "-o", "demo", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, "demo"))
	was, is := "\texample.test/demo\t(devel)\t", "\t"+evil+"mm\t<i>0.1>\t"
	if err != nil || len(was) != len(is) || !bytes.Contains(b, []byte(was)) {
		t.Fatalf("no %q in the program: %v", was, err)
	}
	return strings.ReplaceAll(string(b), was, is)
}

// evilTree is a running host that says evil wherever it can say a text.
func evilTree(t *testing.T) fstest.MapFS {
	m := settingTree(evil + "\n" + evil + " = " + evil + "\n" + evil + " " + evil + " " + evil + " " + evil + " 0 0\n")
	file := func(name, data string) {
		m[name] = &fstest.MapFile{Data: []byte(data), Mode: 0o755, ModTime: testNow, Sys: owned(0, 0)}
	}
	file("etc/os-release", "ID="+evil+"\nID_LIKE="+evil+"\nNAME="+evil+"\nPRETTY_NAME="+evil+"\nVERSION_ID="+evil+"\nVERSION="+evil+"\nVERSION_CODENAME="+evil+"\n")
	file("etc/debian_version", "12"+evil+"\n")
	file("etc/hostname", evil+"\n")
	file("etc/hosts", "127.0.1.1 "+evil+".example "+evil+"\n")
	file("etc/timezone", evil+"\n")
	file("etc/machine-id", evil+"\n")
	for _, f := range []string{"osrelease", "version", "arch", "random/boot_id", "hostname"} {
		file("proc/sys/kernel/"+f, evil+"\n")
	}
	file("proc/sys/kernel/version", "#1 "+evil+" Debian "+evil+" (2026)\n")
	for _, f := range []string{"sys_vendor", "product_name", "product_serial", "bios_version"} {
		file("sys/class/dmi/id/"+f, evil+"\n")
	}
	file("proc/cpuinfo", "processor\t: 0\nmodel name\t: "+evil+"\n")
	file("run/systemd/container", evil+"\n")
	file("proc/stat", "btime 1700000000\n")
	file("proc/self/maps", "")
	file("proc/77/maps", "7f00-7f01 r-xp 00000000 08:01 1234 /opt/"+evilName+" (deleted)\n")
	file("proc/77/stat", "77 ("+evilName+") S 1 77 77 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 100 0 0")
	stanza := func(name, version string) string {
		return "Package: " + name + "\nStatus: install ok installed\nVersion: " + version + "\nArchitecture: " + evil + "\nSource: " + evil + " (" + evil + ")\nMaintainer: " + evil + "\nDescription: " + evil + "\n\n"
	}
	file("var/lib/dpkg/status", stanza(evil, evil)+stanza(evilName, evil)+stanza("linux-image-"+evil, evil)+
		"Package: old"+evil+"\nStatus: install ok installed\nVersion: 1\nArchitecture: "+evil+"\n\n")
	file("var/lib/dpkg/info/"+evilName+".list", "/opt/"+evilName+"\n/opt/go\n/opt/a.jar\n/usr/lib/node_modules/x/package.json\n/usr/lib/python3/dist-packages/x.dist-info/METADATA\n/usr/share/rubygems-integration/all/specifications/x.gemspec\n")
	file("var/log/dpkg.log", "2026-11-21 11:00:00 upgrade "+evilName+":amd64 "+evil+" 1-1\n")
	file("var/lib/apt/lists/evil_dists_x_Release", "Origin: "+evil+"\nLabel: "+evil+"\nSuite: "+evil+"\nCodename: "+evil+"\n")
	file("var/lib/apt/lists/evil_dists_x_main_binary-amd64_Packages",
		"Package: "+evil+"\nArchitecture: "+evil+"\nVersion: "+evil+"\n\nPackage: old"+evil+"\nArchitecture: "+evil+"\nVersion: 2"+"\nSource: "+evil+"\n\n")
	file("lib/apk/db/installed", "P:"+evil+"\nV:"+evil+"\nA:"+evil+"\no:"+evil+"\nm:"+evil+"\nT:"+evil+"\n\n")
	file("var/lib/rpm/Packages.db", string(evilRPM()))
	file("snap/"+evilName+"/1/meta/snap.yaml", "version: "+evil+"\nsummary: "+evil+"\n")
	file("var/lib/snapd/snaps/"+evilName+"_1.snap", "")
	file("var/lib/snapd/state.json", fmt.Sprintf(`{"data":{"snaps":{%q:{"current":"1","channel":%q,"tracking-channel":%q}}}}`, evilName, evil, evil))
	flat := "var/lib/flatpak/app/" + evilName + "/" + evilName + "/" + evilName + "/active/"
	file(flat+"metadata", "[Application]\n")
	file(flat+"deploy", "appdata-version\x00\x00\x00"+evil+"\x00s")
	file("usr/lib/python3/dist-packages/x.dist-info/METADATA", "Name: "+evil+"\nVersion: "+evil+"\nSummary: "+evil+"\n")
	file("usr/lib/node_modules/x/package.json", fmt.Sprintf(`{"name":%q,"version":%q}`, evil, evil))
	file("srv/"+evilName+"/node_modules/x/package.json", `{"name":"x","version":"1"}`)
	file("srv/"+evilName+"/dist-packages/x.dist-info/METADATA", "Name: x\nVersion: 1\n")
	file("usr/share/rubygems-integration/all/specifications/x.gemspec", "s.name = '"+evil+"'\ns.version = '"+evil+"'\n")
	file("srv/"+evilName+"/specifications/x-1.gemspec", "s.name = 'x'\ns.version = '1'\n")
	file("etc/sysctl.d/"+evilName+".conf", "kernel.sysrq = "+evil+"\n")
	file("proc/1/mounts", evil+" / "+evil+" "+evil+" 0 0\n")
	file("opt/a.jar", string(jar(t, pom(evil, evil, evil))))
	file("opt/"+evilName+".jar", string(jar(t, pom("g", "a", "1"))))
	program := evilProgram(t)
	file("opt/go", program)
	file("opt/"+evilName, program)
	return m
}

// TestEveryStringIsPoisoned proves that the poison tests reach every string that
// is collected: whatever a section fills, evilTree puts its text into, and every
// string of every type is filled somewhere. A string that is collected tomorrow
// fails here until evilTree says it or ourOwn says why it cannot.
func TestEveryStringIsPoisoned(t *testing.T) {
	known := evilTree(t)
	known["etc/os-release"] = &fstest.MapFile{Data: []byte("ID=debian\n"), Mode: 0o644, ModTime: testNow}
	reached := map[string]bool{} // "Package.name"
	for _, h := range []Host{{FS: evilTree(t), Now: testNow, Live: true}, {FS: known, Now: testNow}} {
		for _, c := range All() {
			s := Run(t.Context(), c, h, DefaultLimits())
			filled := map[string]bool{} // by field: whether it is evil
			for _, it := range s.Items {
				var v any
				if err := json.Unmarshal(it.Value, &v); err != nil {
					t.Fatal(err)
				}
				evilFields(filled, "", v)
			}
			fact, err := pest.FactOf(c.Name)
			if err != nil {
				t.Fatal(err)
			}
			for f, bad := range filled {
				setting := slices.Contains(inventory.SettingSections, c.Name) // much of which are words of our own
				key := fmt.Sprintf("%T.%s", fact, f)
				reached[key] = reached[key] || bad || ourOwn[string(c.Name)+"."+f] != ""
				if own := ourOwn[string(c.Name)+"."+f]+ownEverywhere[f] != ""; !bad && !own && !setting && h.Live {
					t.Errorf("%s.%s is filled, and nothing evil got into it", c.Name, f)
				}
			}
		}
	}
	for _, name := range inventory.SectionNames {
		fields, err := pest.Fields(name)
		if err != nil {
			t.Fatal(err)
		}
		fact, err := pest.FactOf(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fields {
			if !reached[fmt.Sprintf("%T.%s", fact, f)] && ownEverywhere[f] == "" {
				t.Errorf("nothing fills %s of a %T", f, fact)
			}
		}
	}
}

// evilFields notes the strings of v that are filled, and whether one of that
// name holds something evil.
func evilFields(filled map[string]bool, at string, v any) {
	switch v := v.(type) {
	case string:
		if v != "" {
			filled[at] = filled[at] || strings.ContainsAny(v, "<&")
		}
	case []any:
		for _, e := range v {
			evilFields(filled, at, e)
		}
	case map[string]any:
		for k, e := range v {
			if _, isTime := e.(string); isTime && slices.Contains([]string{"installed_at", "boot_time", "start"}, k) {
				continue
			}
			evilFields(filled, strings.TrimPrefix(at+"."+k, "."), e)
		}
	}
}
