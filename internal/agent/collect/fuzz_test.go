package collect

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// runOn runs one collector on a root with one file and checks what every
// section promises.
func runOn(t *testing.T, name inventory.SectionName, file string, data []byte, live bool) {
	t.Helper()
	h := Host{FS: fstest.MapFS{file: &fstest.MapFile{Data: data, Mode: 0o755}}, Now: testNow, Live: live}
	s := Run(t.Context(), collector(t, All(), name), h, DefaultLimits())
	if strings.Contains(s.Reason, "internal error") {
		t.Fatal(s.Reason)
	}
	for i, it := range s.Items {
		if i > 0 && s.Items[i-1].Key >= it.Key {
			t.Fatalf("keys %q and %q are not in order", s.Items[i-1].Key, it.Key)
		}
		safe(t, name, it.Key, maxName+maxPath)
	}
}

func FuzzDPKG(f *testing.F) {
	f.Add([]byte("Package: a\nStatus: install ok installed\nVersion: 1\nSource: b (2)\nArchitecture: all\n\nPackage: c\nStatus: deinstall ok config-files\n"))
	f.Add([]byte(":\n \n\n#\nPackage:\nStatus: x\n"))
	f.Fuzz(func(t *testing.T, b []byte) { runOn(t, inventory.DPKG, dpkgStatus, b, false) })
}

func FuzzAPK(f *testing.F) {
	f.Add([]byte("P:a\nV:1\nF:lib\nR:x\n\nP:\n\nV:2"))
	f.Fuzz(func(t *testing.T, b []byte) {
		runOn(t, inventory.APK, "lib/apk/db/installed", b, false)
		_, _ = readAPK(bytes.NewReader(b), func(apkPackage) {}, func(string, []byte) {})
	})
}

func FuzzMetadata(f *testing.F) {
	f.Add([]byte("Name: A.B_c\nVersion: 1\n\nbody"))
	f.Fuzz(func(t *testing.T, b []byte) {
		runOn(t, inventory.Python, "usr/lib/python3/dist-packages/x-1.dist-info/METADATA", b, false)
	})
}

func FuzzPackageJSON(f *testing.F) {
	f.Add([]byte(`{"name":"@a/b","version":"1.0.0","x":[{}]}`))
	f.Fuzz(func(t *testing.T, b []byte) { runOn(t, inventory.NPM, "srv/node_modules/x/package.json", b, false) })
}

func FuzzGemspec(f *testing.F) {
	f.Add([]byte("Gem::Specification.new do |s|\n s.name = \"a\".freeze\n s.version = Gem::Version.new(\"1\")\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		runOn(t, inventory.Ruby, "var/lib/gems/specifications/x-1.gemspec", b, false)
	})
}

func FuzzJar(f *testing.F) {
	inner := jar(f, pom("g", "inner", "1"))
	f.Add(jar(f, pom("g", "a", "1"), manifest("Implementation-Vendor-Id: a.b", "Implementation-Title: c", "Implementation-Version: 1"), member{"lib/x.jar", inner, true}, member{"lib/y.jar", inner, false}))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, b []byte) { runOn(t, inventory.Java, "opt/x.jar", b, false) })
}

func FuzzBuildInfo(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01\x01\x00"))
	f.Add([]byte("MZ"))
	f.Add([]byte("\xcf\xfa\xed\xfe"))
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = parseBuildInfo(bytes.NewReader(b)) })
}

func FuzzMaps(f *testing.F) {
	f.Add([]byte("7f01-7f02 r-xp 00000000 fe:00 101 /usr/lib/libssl.so.3 (deleted)\n"))
	f.Add([]byte("7f01-7f02 r-xp 00000000 fe:00 101 /usr/lib/x;0123abcd (deleted)"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, p := range deletedCode(bytes.NewReader(b)) {
			if strings.HasPrefix(p, "/") || strings.Contains(p, "..") && strings.Contains("/"+p+"/", "/../") {
				t.Errorf("path %q", p)
			}
		}
	})
}

func FuzzDPKGLog(f *testing.F) {
	f.Add("2026-11-21 22:10:01 upgrade libssl3:amd64 3.0.11-1 3.0.15-1")
	f.Fuzz(func(t *testing.T, s string) { _, _, _, _ = parseUpgrade(s, time.UTC) })
}

func FuzzRelease(f *testing.F) {
	f.Add([]byte("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Debian\nSuite: x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := parseRelease(bytes.NewReader(b)); err == nil {
			_, _ = r.suite(), r.security()
		}
	})
}

func FuzzPackages(f *testing.F) {
	f.Add([]byte("Package: a\nVersion: 2\nArchitecture: all\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h := Host{Now: testNow, FS: fstest.MapFS{
			dpkgStatus:                  &fstest.MapFile{Data: []byte("Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n")},
			aptLists + "/x_InRelease":   &fstest.MapFile{Data: []byte("Origin: o\n")},
			aptLists + "/x_Packages":    &fstest.MapFile{Data: b},
			aptLists + "/x_Packages.xz": &fstest.MapFile{Data: b},
		}}
		Run(t.Context(), collector(t, All(), inventory.Updates), h, DefaultLimits())
	})
}

func FuzzLZ4(f *testing.F) {
	f.Add([]byte("\x04\x22\x4d\x18\x40\x40\xc0\x05\x00\x00\x80hello\x00\x00\x00\x00"))
	f.Add([]byte("\x04\x22\x4d\x18\x40\x40\xc0\x06\x00\x00\x00\x1fa\x01\x00\xff\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = io.Copy(io.Discard, io.LimitReader(newLZ4(bytes.NewReader(b)), 16<<20))
	})
}

func FuzzOSRelease(f *testing.F) {
	f.Add([]byte("ID=\"debian\"\nVERSION_ID='12'\nNAME=a\\b"))
	f.Fuzz(func(t *testing.T, b []byte) { runOn(t, inventory.OSSection, "etc/os-release", b, false) })
}

func FuzzMountinfo(f *testing.F) {
	f.Add("22 1 254:0 / /a\\040b rw - ext4 /dev/vda rw\n")
	f.Fuzz(func(t *testing.T, s string) { parseMounts(s) })
}

func FuzzSnapState(f *testing.F) {
	f.Add([]byte(`{"data":{"snaps":{"a":{"current":"1"}}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = parseSnapState(b)
		yamlTop(b, "version")
		deployVersion(b)
		releaseVersion(string(b))
	})
}

func FuzzPins(f *testing.F) {
	f.Add([]byte("Package: a b* src:c d:any\nPin: version 1\nPin-Priority: 1001\n\nPackage: *\nPin: origin x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h := Host{Now: testNow, FS: fstest.MapFS{"etc/apt/preferences": &fstest.MapFile{Data: b}, "etc/apt/preferences.d/x.pref": &fstest.MapFile{Data: b}}}
		pins, _ := readPins(h) // an error says that the files cannot be read
		for p := range pins {
			if strings.ContainsAny(p, " \n:[?/") || strings.Contains(p, "*") && p != "*" {
				t.Errorf("pin %q", p)
			}
		}
	})
}

func FuzzFileLists(f *testing.F) {
	f.Add([]byte("/.\n/usr\n/lib/python3/x/METADATA\r\n\n//usr/../x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h := Host{Now: testNow, FS: fstest.MapFS{dpkgInfo + "/pkg:amd64.list": &fstest.MapFile{Data: b}}}
		asked := "usr/lib/python3/x/METADATA"
		for p, owner := range owners(t.Context(), h, DefaultLimits(), []string{asked}) {
			if p != asked || owner != "pkg" {
				t.Errorf("%q belongs to %q", p, owner)
			}
		}
	})
}

// FuzzProc puts one text into every file of /proc and /sys that is read.
func FuzzProc(f *testing.F) {
	for _, s := range []string{"6.1.0-31-amd64\n", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.128-1 (2025-02-07)", "Ubuntu 6.8.0-31.31-generic 6.8.1", "btime 1700000000\ncpu 1",
		"processor\t: 0\nmodel name\t: x\nflags\t: hypervisor\n", "MemTotal:  99999999999999999999 kB\n", "8 0 512 sda\n", "QEMU"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		fs := fstest.MapFS{}
		for _, name := range []string{"proc/cpuinfo", "proc/meminfo", "proc/stat", "proc/version_signature", "proc/device-tree/model", "proc/1/cgroup", "proc/1/environ",
			"proc/sys/kernel/osrelease", "proc/sys/kernel/version", "proc/sys/kernel/arch", "proc/sys/kernel/random/boot_id", "sys/class/dmi/id/sys_vendor",
			"sys/class/dmi/id/product_name", "sys/class/dmi/id/product_serial", "sys/class/dmi/id/bios_version", "sys/block/sda/size", "sys/hypervisor/type"} {
			fs[name] = &fstest.MapFile{Data: b}
		}
		for _, name := range []inventory.SectionName{inventory.Kernel, inventory.Hardware} {
			s := Run(t.Context(), collector(t, All(), name), Host{FS: fs, Now: testNow, Live: true}, DefaultLimits())
			if strings.Contains(s.Reason, "internal error") {
				t.Fatal(s.Reason)
			}
			for _, it := range s.Items {
				var v any
				if err := json.Unmarshal(it.Value, &v); err != nil {
					t.Fatal(err)
				}
				safeValue(t, name, v)
			}
		}
	})
}
