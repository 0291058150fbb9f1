package main

import (
	"fmt"
	"strings"
)

// logsOn lets somebody log on to the host over ssh, once with a wrong password,
// and follows that into the timeline, who logged on to the device, where the
// account was, and hunting.
func (s *service) logsOn(id string) {
	s.Helper()
	s.sh("useradd -m -s /bin/bash alice && echo alice:s3cret | chpasswd && mkdir -p /run/sshd && ssh-keygen -A >/dev/null && echo 'PasswordAuthentication yes' >/etc/ssh/sshd_config.d/00-test.conf && systemctl start ssh")
	const ssh = "ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o PreferredAuthentications=password -o NumberOfPasswordPrompts=1 alice@127.0.0.1 true"
	s.sh("sshpass -p s3cret " + ssh + " && ! sshpass -p wrong " + ssh)
	defer s.sh("systemctl stop ssh && userdel -rf alice")

	for _, action := range []string{"LogonSuccess", "LogonFailed", "LogoffSuccess"} {
		var line struct {
			Items []struct {
				Action, User string
				Fields       map[string]any
			}
		}
		s.wait("the event "+action, func() error {
			if err := s.client.Get(s.Context(), "/api/x/devices/"+id+"/timeline?action="+action+"&q=alice", &line); err != nil {
				return err
			}
			if len(line.Items) != 1 {
				return fmt.Errorf("timeline %+v", line)
			}
			return nil
		})
	}

	var users struct {
		Value []struct {
			ID, AccountName, LogonTypes string
		}
	}
	s.wait("who logged on", func() error {
		if err := s.client.Get(s.Context(), "/api/machines/"+id+"/logonusers", &users); err != nil {
			return err
		}
		for _, u := range users.Value {
			if u.AccountName == "alice" && strings.Contains(u.LogonTypes, "RemoteInteractive") {
				return nil
			}
		}
		return fmt.Errorf("alice is not among %+v", users.Value)
	})
	var machines struct{ Value []struct{ ID string } }
	s.wait("where alice was", func() error {
		err := s.client.Get(s.Context(), "/api/users/alice/machines", &machines)
		if err == nil && (len(machines.Value) != 1 || machines.Value[0].ID != id) {
			err = fmt.Errorf("%+v", machines)
		}
		return err
	})
	var hunt struct {
		Results []struct{ ActionType, RemoteIP, LogonType, DeviceID, FailureReason string }
	}
	const query = "DeviceLogonEvents | where AccountName == 'alice' and Protocol == 'ssh' and ActionType startswith 'Logon' | project ActionType, RemoteIP, LogonType, DeviceID = DeviceId, FailureReason | sort by ActionType asc"
	if err := s.client.Post(s.Context(), "/api/advancedqueries/run", map[string]string{"Query": query}, &hunt); err != nil {
		s.Fatal(err)
	}
	got := fmt.Sprint(hunt.Results)
	if want := fmt.Sprintf("[{LogonFailed 127.0.0.1 RemoteInteractive %[1]s wrong password} {LogonSuccess 127.0.0.1 RemoteInteractive %[1]s }]", id); got != want {
		s.Errorf("hunted %s, want %s", got, want)
	}
}

// sh runs a script on the host, which must succeed.
func (s *service) sh(script string) {
	s.Helper()
	s.run("bash", "-c", script)
}
