package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	unitName = "picket-agent.service"
	unitPath = "/etc/systemd/system/" + unitName
	envPath  = "/etc/picket/agent.env"
)

// unitText is the service: the agent as root, which sees every package
// database, with everything else taken away that it does not need.
const unitText = `[Unit]
Description=Picket agent
Documentation=https://github.com/picketsec/picket
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=%s run
EnvironmentFile=%s
Restart=always
RestartSec=15
RestartPreventExitStatus=2 3
UMask=0077
CPUQuota=%d%%
MemoryMax=%d
TasksMax=%d
Nice=10
IOSchedulingClass=best-effort
IOSchedulingPriority=7
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=%s
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK AF_PACKET
MemoryDenyWriteExecute=yes

[Install]
WantedBy=multi-user.target
`

const (
	bootUnitName = "picket-isolation.service"
	bootUnitPath = "/etc/systemd/system/" + bootUnitName
)

// bootUnitText puts the rules of an isolated host back before there is a network,
// and after what loads the host's own rules, which may remove all others.
const bootUnitText = `[Unit]
Description=Picket isolation of this host, before the network
Documentation=https://github.com/picketsec/picket
DefaultDependencies=no
RequiresMountsFor=%[2]s
After=local-fs.target nftables.service iptables.service ip6tables.service netfilter-persistent.service ufw.service
Wants=network-pre.target
Before=network-pre.target shutdown.target
Conflicts=shutdown.target
ConditionPathExists=%[2]s/isolation.json

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=%[1]s restore --state %[2]s
UMask=0077

[Install]
WantedBy=sysinit.target
`

func installService(ctx context.Context, cfg Config) error {
	if os.Geteuid() != 0 {
		return usageErr("install needs root")
	}
	systemctl, err := findSystemctl()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	state, err := filepath.Abs(cfg.State)
	if err != nil {
		return fmt.Errorf("find --state: %w", err)
	}
	ca, err := filepath.Abs(cfg.CA)
	if err != nil {
		return fmt.Errorf("find --ca: %w", err)
	}
	for _, v := range []string{self, state, ca, cfg.Server, cfg.Token} {
		if strings.ContainsAny(v, "\n\r\"'\\ %$") {
			return usageErr("%q has a character that a service file cannot hold: choose another path", v)
		}
	}
	s, err := openState(state)
	if err != nil {
		return err
	}
	if err := s.close(); err != nil {
		return fmt.Errorf("close state directory: %w", err)
	}
	env := fmt.Sprintf("PICKET_SERVER=%s\nPICKET_CA=%s\nPICKET_TOKEN=%s\nPICKET_STATE=%s\n", cfg.Server, ca, cfg.Token, state)
	if cfg.NoEvents {
		env += "PICKET_NO_EVENTS=1\n"
	}
	if cfg.EventMax != 0 {
		env += fmt.Sprintf("PICKET_EVENT_DISK=%d\n", cfg.EventMax>>20)
	}
	if err := os.MkdirAll(filepath.Dir(envPath), 0o755); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	if err := writeNew(envPath, env, 0o600); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	if err := writeNew(unitPath, fmt.Sprintf(unitText, self, envPath, cpuPercent, memoryMax, tasksMax, state), 0o644); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	if err := writeNew(bootUnitPath, fmt.Sprintf(bootUnitText, self, state), 0o644); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	if err := runTool(ctx, systemctl, "daemon-reload"); err != nil {
		return err
	}
	if err := runTool(ctx, systemctl, "enable", bootUnitName); err != nil {
		return err
	}
	return runTool(ctx, systemctl, "enable", "--now", unitName)
}

func uninstallService(ctx context.Context, cfg Config) error {
	if os.Geteuid() != 0 {
		return usageErr("uninstall needs root")
	}
	if systemctl, err := findSystemctl(); err == nil {
		for _, unit := range []string{unitName, bootUnitName} {
			if _, err := os.Stat(filepath.Join(filepath.Dir(unitPath), unit)); err != nil {
				continue
			}
			if err := runTool(ctx, systemctl, "disable", "--now", unit); err != nil {
				return err
			}
		}
	}
	if err := leaveNothing(ctx, cfg.State); err != nil { // nobody could end it afterwards
		return fmt.Errorf("uninstall: end isolation: %w", err)
	}
	for _, p := range []string{unitPath, bootUnitPath, envPath} {
		if err := os.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("uninstall: %w", err)
		}
	}
	if cfg.State == "" {
		return nil
	}
	// Only what is an agent's own directory is removed.
	s, err := openState(cfg.State)
	if err != nil {
		return err
	}
	for _, name := range slices.Concat(responseFiles, stateDirs, []string{identityFile, forkFile, sessionFile, numbersFile, "lock"}) {
		if err := s.root.RemoveAll(name); err != nil {
			return errors.Join(fmt.Errorf("remove state: %w", err), s.close())
		}
	}
	if err := s.close(); err != nil {
		return fmt.Errorf("remove state: %w", err)
	}
	if err := os.Remove(s.path); err != nil {
		return fmt.Errorf("remove state: %w", err)
	}
	return nil
}

// writeNew replaces a file; it never writes through a link that is in its place.
func writeNew(path, text string, mode fs.FileMode) error {
	tmp := path + ".tmp"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return os.Rename(tmp, path)
}

func findSystemctl() (string, error) {
	for _, p := range []string{"/usr/bin/systemctl", "/bin/systemctl"} {
		if _, err := os.Stat(p); err == nil {
			if _, err := os.Stat("/run/systemd/system"); err == nil {
				return p, nil
			}
		}
	}
	return "", usageErr("this host does not run systemd: run picket-agent run under its own service manager")
}

// runTool runs a program by its absolute path, without a shell, for at most a minute.
func runTool(ctx context.Context, path string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", path, strings.Join(args, " "), err, clip(strings.TrimSpace(string(out))))
	}
	return nil
}
