package respond

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// tableName is the only table of the host's packet filter that is ours.
const tableName = "inet picket"

// deleteTable removes the table, also where there is none.
const deleteTable = "table " + tableName + "\ndelete table " + tableName + "\n"

// ruleset is the text for nft that cuts the host off, in one step, whatever our
// table held before. left is how long it lasts: the kernel itself ends it then,
// whether or not an agent is there; 0 is without an end.
//
// Its chains come before all others that see connections (priority -300), so
// that flows which are already established are cut as well. A chain lets through
// what has to pass and drops the rest while there is an element in "isolated".
func ruleset(servers []netip.AddrPort, dns []netip.Addr, left time.Duration) string {
	timeout := ""
	if left > 0 {
		timeout = fmt.Sprintf(" timeout %ds", int64(left.Round(time.Second)/time.Second)+1)
	}
	var b strings.Builder
	b.WriteString(deleteTable)
	fmt.Fprintf(&b, "table %s {\n", tableName)
	fmt.Fprintf(&b, "\tset isolated {\n\t\ttype nf_proto\n\t\tflags timeout\n\t\telements = { ipv4%s, ipv6%s }\n\t}\n", timeout, timeout)
	var v4, v6, d4, d6 []string
	for _, s := range servers {
		text := fmt.Sprintf("%s . %d", s.Addr(), s.Port())
		if s.Addr().Is4() {
			v4 = append(v4, text)
		} else {
			v6 = append(v6, text)
		}
	}
	for _, a := range dns {
		if a.Is4() {
			d4 = append(d4, a.String())
		} else {
			d6 = append(d6, a.String())
		}
	}
	addSet(&b, "server4", "ipv4_addr . inet_service", v4)
	addSet(&b, "server6", "ipv6_addr . inet_service", v6)
	addSet(&b, "resolver4", "ipv4_addr", d4)
	addSet(&b, "resolver6", "ipv6_addr", d6)
	b.WriteString(chains)
	b.WriteString("}\n")
	return b.String()
}

func addSet(b *strings.Builder, name, kind string, elements []string) {
	fmt.Fprintf(b, "\tset %s {\n\t\ttype %s\n", name, kind)
	if len(elements) > 0 {
		fmt.Fprintf(b, "\t\telements = { %s }\n", strings.Join(elements, ", "))
	}
	b.WriteString("\t}\n")
}

// chains let through: the host's talk with itself; TCP to the server, begun by
// the host; questions to its resolvers, where they may be asked; DHCP, so that
// the address stays; what IPv6 needs to find its neighbours; and the word of a
// router that packets are too large.
const chains = `	chain in {
		type filter hook input priority -300; policy accept;
		iif "lo" accept
		ip saddr . tcp sport @server4 tcp flags & (syn | ack) != syn accept
		ip6 saddr . tcp sport @server6 tcp flags & (syn | ack) != syn accept
		ip saddr @resolver4 udp sport 53 accept
		ip saddr @resolver4 tcp sport 53 tcp flags & (syn | ack) != syn accept
		ip6 saddr @resolver6 udp sport 53 accept
		ip6 saddr @resolver6 tcp sport 53 tcp flags & (syn | ack) != syn accept
		meta nfproto ipv4 udp sport 67 udp dport 68 accept
		meta nfproto ipv6 udp sport 547 udp dport 546 accept
		icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept
		icmpv6 type packet-too-big accept
		icmp type destination-unreachable icmp code frag-needed accept
		meta nfproto @isolated counter drop
	}
	chain out {
		type filter hook output priority -300; policy accept;
		oif "lo" accept
		ip daddr . tcp dport @server4 accept
		ip6 daddr . tcp dport @server6 accept
		ip daddr @resolver4 udp dport 53 accept
		ip daddr @resolver4 tcp dport 53 accept
		ip6 daddr @resolver6 udp dport 53 accept
		ip6 daddr @resolver6 tcp dport 53 accept
		meta nfproto ipv4 udp sport 68 udp dport 67 accept
		meta nfproto ipv6 udp sport 546 udp dport 547 accept
		icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept
		icmpv6 type { mld-listener-report, mld2-listener-report } ip6 hoplimit 1 accept
		meta nfproto @isolated counter drop
	}
	chain through {
		type filter hook forward priority -300; policy accept;
		meta nfproto @isolated counter drop
	}
`
