package collect

import (
	"testing"
	"testing/fstest"

	"github.com/picketsec/picket/internal/inventory"
)

// The version that a deployment recorded goes before that of the description,
// which names the releases to come as well.
func TestFlatpakDeployment(t *testing.T) {
	const at = "var/lib/flatpak/app/org.example.App/x86_64/stable/active"
	for _, tt := range []struct{ deploy, want string }{
		{"flathub\x00appdata-name\x00\x00\x00\x00App\x00\x00s\x00appdata-version\x002.5\x00\x00s", "2.5"},
		{"flathub\x00appdata-version\x00\x00\x00\x00\x002.5.1\x00\x00s", "2.5.1"},
		{"flathub\x00appdata-name\x00App\x00\x00s", "9.9"},
		{"appdata-version\x002.5", "9.9"}, // cut off
		{"", "9.9"},
	} {
		h := Host{Now: testNow, FS: fstest.MapFS{
			at + "/deploy": {Data: []byte(tt.deploy)},
			at + "/files/share/metainfo/org.example.App.metainfo.xml": {Data: []byte(`<component><releases><release version="9.9"/></releases></component>`)},
		}}
		got := decode[inventory.Package](t, Run(t.Context(), collector(t, All(), inventory.Flatpak), h, DefaultLimits()))
		if len(got) != 1 || got[0].Version != tt.want {
			t.Errorf("%q: %+v, want version %s", tt.deploy, got, tt.want)
		}
	}
}

// The administrator's own installation is read as those of the users are.
func TestFlatpakOfTheAdministrator(t *testing.T) {
	const at = "root/.local/share/flatpak/app/org.example.App/x86_64/stable/active"
	h := Host{Now: testNow, FS: fstest.MapFS{at + "/metadata": {Data: []byte("[Application]\nname=org.example.App\n")}}}
	got := decode[inventory.Package](t, Run(t.Context(), collector(t, All(), inventory.Flatpak), h, DefaultLimits()))
	if len(got) != 1 || got[0].Name != "org.example.App" || got[0].Paths[0] != "/"+at {
		t.Errorf("%+v", got)
	}
}
