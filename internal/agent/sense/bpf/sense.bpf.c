// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// What the kernel tells the agent: processes that start, fork and end, TCP
// connections, who exchanges datagrams of UDP with whom, and its own modules. Only of processes in the agent's own process namespace and those
// below it; everything else never leaves the kernel. What does not fit into the
// ring is counted by kind.
#include <linux/bpf.h>
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { EXEC = 1, FORK, EXIT, CONNECT, FAILED, ACCEPT, LISTEN, SENT, RECEIVED, LOADED, UNLOADED, TYPES };

// Set before the programs are loaded.
volatile const u32 own_ns;  // number of the agent's process namespace
volatile const u32 own_net; // number of its network namespace

#define ARGS 8192
#define PATH_ROOM 4096
#define NAME 256
#define DEPTH 40  // of paths
#define LEVELS 32 // of process namespaces

// All numbers in the byte order of the host. Times are in ns since boot.
struct head {
	u64 time, start, parent_start, inode, size;
	u32 type, pid, parent, uid, euid, login, session, device, nested, code;
	u16 args, path, script, group; // bytes of each in data, in this order
};

struct process {
	struct head h;
	char data[ARGS + PATH_ROOM + 8 * NAME];
};

struct connection {
	u64 time, start;
	u32 type, pid, uid, count;
	u8 local[16], remote[16];
	u16 local_port, remote_port, family, unused;
};

struct counts {
	u64 of[TYPES];
};

struct owner {
	u64 start;
	u32 pid, uid;
};

// An exchange of datagrams is told when it begins and, while it goes on, once in
// a while.
struct flow {
	u64 start;
	u8 remote[16];
	u32 pid;
	u16 local_port, remote_port;
};

struct port {
	u32 net;
	u32 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct counts);
} lost SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct process);
} scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, u64);
	__type(value, struct owner);
} connecting SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct port);
	__type(value, struct owner);
} listening SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct flow);
	__type(value, u64); // when it was told
} flows SEC(".maps");

#define MUCH (1 << 18) // bytes at which the reader is called although it was

static __always_inline void give(u32 type, void *what, u64 size)
{
	// The kernel wakes the reader for the first record after it has read all:
	// it then lets some more come. It is called once more when much waits.
	u64 there = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
	u64 flags = there <= MUCH && there + size > MUCH ? BPF_RB_FORCE_WAKEUP : 0;
	if (bpf_ringbuf_output(&ring, what, size, flags) == 0)
		return;
	u32 zero = 0;
	struct counts *n = bpf_map_lookup_elem(&lost, &zero);
	if (n && type < TYPES)
		n->of[type]++;
}

// number_of returns the process id of a task in the agent's namespace, 0 when it
// is not in it nor below; nested says that it is below.
static __always_inline u32 number_of(struct task_struct *t, u32 *nested)
{
	struct pid *p = BPF_CORE_READ(t, group_leader, thread_pid);
	if (!p)
		return 0;
	u32 level = BPF_CORE_READ(p, level);
	for (u32 i = 0; i < LEVELS && i <= level; i++) {
		struct upid *u = (void *)p + bpf_core_field_offset(p->numbers) + i * bpf_core_type_size(struct upid);
		if (BPF_CORE_READ(u, ns, ns.inum) == own_ns) {
			*nested = i != level;
			return BPF_CORE_READ(u, nr);
		}
	}
	return 0;
}

static __always_inline u32 number(struct task_struct *t)
{
	u32 nested;
	return number_of(t, &nested);
}

static __always_inline bool fill(struct head *h, u32 type, struct task_struct *t, struct task_struct *parent)
{
	h->nested = 0;
	h->pid = number_of(t, &h->nested);
	if (!h->pid)
		return false;
	h->time = bpf_ktime_get_boot_ns();
	h->type = type;
	h->start = BPF_CORE_READ(t, group_leader, start_boottime);
	h->parent = number(parent);
	h->parent_start = BPF_CORE_READ(parent, group_leader, start_boottime);
	h->uid = BPF_CORE_READ(t, cred, uid.val);
	h->euid = BPF_CORE_READ(t, cred, euid.val);
	h->login = h->session = -1;
	if (bpf_core_field_exists(t->loginuid))
		h->login = BPF_CORE_READ(t, loginuid.val);
	if (bpf_core_field_exists(t->sessionid))
		h->session = BPF_CORE_READ(t, sessionid);
	h->inode = h->size = 0;
	h->device = h->code = 0;
	h->args = h->path = h->script = h->group = 0;
	return true;
}

// walk writes the names of a path from its end to its root, each closed by a
// zero, and returns how many bytes these are.
static __always_inline u32 walk(char *to, struct file *f)
{
	struct dentry *d = BPF_CORE_READ(f, f_path.dentry);
	struct vfsmount *v = BPF_CORE_READ(f, f_path.mnt);
	struct mount *m = NULL;
	m = (void *)v - bpf_core_field_offset(m->mnt);
	u32 at = 0;
	for (int i = 0; i < DEPTH; i++) {
		if (d == BPF_CORE_READ(m, mnt.mnt_root)) {
			struct mount *up = BPF_CORE_READ(m, mnt_parent);
			if (up == m)
				break;
			d = BPF_CORE_READ(m, mnt_mountpoint);
			m = up;
			continue;
		}
		struct dentry *up = BPF_CORE_READ(d, d_parent);
		if (up == d || at >= PATH_ROOM - NAME)
			break;
		const unsigned char *name = BPF_CORE_READ(d, d_name.name);
		long n = bpf_probe_read_kernel_str(to + (at & (PATH_ROOM - 1)), NAME, name);
		if (n <= 0)
			break;
		at += n & (2 * NAME - 1);
		d = up;
	}
	return at & (2 * PATH_ROOM - 1);
}

#define GROUP 128 // bytes of the name of a control group; what is longer is no container's
#define GROUPS 4  // a group and those above it

// groups writes the names of a control group and of those above it, each closed
// by a zero, at a place of data, and returns the place behind them: what runs in
// a container may have made groups of its own below the container's.
static __always_inline u32 groups(char *data, u32 at, struct cgroup *g)
{
	for (int i = 0; i < GROUPS && g; i++) {
		if (at > ARGS + PATH_ROOM + 2 * NAME)
			break;
		const char *name = BPF_CORE_READ(g, kn, name);
		long n = bpf_probe_read_kernel_str(data + (at & (2 * ARGS - 1)), GROUP, name);
		if (n > 0)
			at += n & (2 * GROUP - 1);
		struct cgroup_subsys_state *up = BPF_CORE_READ(g, self.parent);
		if (!up)
			break;
		g = BPF_CORE_READ(up, cgroup);
	}
	return at;
}

// controlled is the group that limits the memory of processes: on hosts with
// groups of the first version it is in another tree than the rest.
static __always_inline struct cgroup *controlled(struct css_set *set)
{
	if (!bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		return NULL;
	u32 id = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
	struct cgroup_subsys_state *css = NULL;
	bpf_probe_read_kernel(&css, sizeof(css), (void *)set + bpf_core_field_offset(set->subsys) + (id & 15) * sizeof(css));
	return css ? BPF_CORE_READ(css, cgroup) : NULL;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *t, int old, struct linux_binprm *b)
{
	u32 zero = 0;
	struct process *s = bpf_map_lookup_elem(&scratch, &zero);
	if (!s || !fill(&s->h, EXEC, t, BPF_CORE_READ(t, real_parent)))
		return 0;
	struct head *h = &s->h;
	struct file *f = BPF_CORE_READ(b, file);
	h->inode = BPF_CORE_READ(f, f_inode, i_ino);
	h->size = BPF_CORE_READ(f, f_inode, i_size);
	h->device = BPF_CORE_READ(f, f_inode, i_sb, s_dev);

	u64 from = BPF_CORE_READ(t, mm, arg_start), args = BPF_CORE_READ(t, mm, arg_end) - from;
	if (args > ARGS - 1) {
		args = ARGS - 1;
		h->code = 1; // cut
	}
	args &= ARGS - 1;
	if (bpf_probe_read_user(s->data, args, (void *)from) == 0)
		h->args = args;
	u32 at = h->args & (ARGS - 1);

	u32 path = walk(s->data + at, f);
	h->path = path;
	at += path;

	const char *file = BPF_CORE_READ(b, filename), *interp = BPF_CORE_READ(b, interp);
	if (file != interp && at < ARGS + PATH_ROOM) {
		long n = bpf_probe_read_kernel_str(s->data + at, NAME, file);
		if (n > 0) {
			h->script = n & (2 * NAME - 1);
			at += h->script;
		}
	}
	u32 group = at;
	at = groups(s->data, at, BPF_CORE_READ(t, cgroups, dfl_cgrp));
	struct css_set *set = BPF_CORE_READ(t, cgroups);
	at = groups(s->data, at, controlled(set));
	h->group = at - group;
	if (at > sizeof(s->data))
		at = sizeof(s->data);
	give(EXEC, s, sizeof(*h) + at);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct head h;
	if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid)) // a thread
		return 0;
	if (fill(&h, FORK, child, parent))
		give(FORK, &h, sizeof(h));
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *t)
{
	struct head h;
	if (BPF_CORE_READ(t, signal, live.counter) != 0) // other threads go on
		return 0;
	if (!fill(&h, EXIT, t, BPF_CORE_READ(t, real_parent)))
		return 0;
	h.code = BPF_CORE_READ(t, signal, group_exit_code);
	if (!h.code)
		h.code = BPF_CORE_READ(t, exit_code);
	give(EXIT, &h, sizeof(h));
	return 0;
}

struct modules {
	struct head h;
	char name[64];
};

// module tells of a module of the kernel, and by which process: none when that
// is of another host on this kernel.
static __always_inline void module(u32 type, struct module *m)
{
	struct modules r = {};
	struct task_struct *t = (void *)bpf_get_current_task();
	fill(&r.h, type, t, BPF_CORE_READ(t, real_parent));
	r.h.time = bpf_ktime_get_boot_ns();
	r.h.type = type;
	long n = bpf_core_read_str(r.name, sizeof(m->name), &m->name);
	if (n > 0)
		r.h.path = n;
	give(type, &r, sizeof(r));
}

SEC("tp_btf/module_load")
int BPF_PROG(on_load, struct module *m)
{
	module(LOADED, m);
	return 0;
}

SEC("tp_btf/module_free")
int BPF_PROG(on_unload, struct module *m)
{
	module(UNLOADED, m);
	return 0;
}

enum { ESTABLISHED = 1, SYN_SENT = 2, SYN_RECV = 3, CLOSE = 7, LISTENING = 10, INET = 2, INET6 = 10, TCP = 6, UDP = 17 };

static __always_inline bool current_owner(struct owner *o)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	o->pid = number(t);
	o->start = BPF_CORE_READ(t, group_leader, start_boottime);
	o->uid = BPF_CORE_READ(t, cred, euid.val);
	return o->pid != 0;
}

static __always_inline void tell(u32 type, struct sock *sk, struct owner *o)
{
	struct connection c = {};
	c.time = bpf_ktime_get_boot_ns();
	c.type = type;
	c.start = o->start;
	c.pid = o->pid;
	c.uid = o->uid;
	c.family = BPF_CORE_READ(sk, __sk_common.skc_family);
	c.local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	c.remote_port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (c.family == INET) {
		BPF_CORE_READ_INTO((u32 *)c.local, sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((u32 *)c.remote, sk, __sk_common.skc_daddr);
	} else {
		BPF_CORE_READ_INTO((struct in6_addr *)c.local, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO((struct in6_addr *)c.remote, sk, __sk_common.skc_v6_daddr);
	}
	give(type, &c, sizeof(c));
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int old, int new)
{
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (BPF_CORE_READ(sk, sk_protocol) != TCP || (family != INET && family != INET6))
		return 0;
	u64 key = (u64)sk;
	struct owner o = {};
	struct port p = {.net = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum), .port = BPF_CORE_READ(sk, __sk_common.skc_num)};

	if (new == SYN_SENT) {
		if (current_owner(&o))
			bpf_map_update_elem(&connecting, &key, &o, BPF_ANY);
	} else if (new == LISTENING) {
		if (current_owner(&o)) {
			bpf_map_update_elem(&listening, &p, &o, BPF_ANY);
			tell(LISTEN, sk, &o);
		}
	} else if (old == SYN_SENT) {
		struct owner *who = bpf_map_lookup_elem(&connecting, &key);
		if (!who)
			return 0;
		o = *who;
		bpf_map_delete_elem(&connecting, &key);
		if (new == ESTABLISHED)
			tell(CONNECT, sk, &o);
		else if (new == CLOSE)
			tell(FAILED, sk, &o);
	} else if (old == SYN_RECV && new == ESTABLISHED) {
		struct owner *who = bpf_map_lookup_elem(&listening, &p);
		if (who)
			o = *who;
		if (o.pid || p.net == own_net)
			tell(ACCEPT, sk, &o);
	}
	return 0;
}

#define AGAIN (600ULL * 1000 * 1000 * 1000) // ns until an exchange that goes on is told again

// exchange tells of a datagram, unless it goes on with what was told.
static __always_inline void exchange(u32 type, struct connection *c)
{
	struct owner o = {};
	if (!c->remote_port || !current_owner(&o))
		return;
	struct flow f = {.start = o.start, .pid = o.pid, .local_port = c->local_port, .remote_port = c->remote_port};
	__builtin_memcpy(f.remote, c->remote, sizeof(f.remote));
	u64 now = bpf_ktime_get_boot_ns();
	u64 *told = bpf_map_lookup_elem(&flows, &f);
	if (told && now - *told < AGAIN)
		return;
	bpf_map_update_elem(&flows, &f, &now, BPF_ANY);
	c->time = now;
	c->type = type;
	c->start = o.start;
	c->pid = o.pid;
	c->uid = o.uid;
	give(type, c, sizeof(*c));
}

// A socket that is connected knows the other end; of one that is not, the
// programs of the control group are told it.
SEC("tp_btf/sock_send_length")
int BPF_PROG(on_send, struct sock *sk, int sent, int flags)
{
	if (sk->sk_protocol != UDP || sent < 0)
		return 0;
	struct connection c = {.family = sk->__sk_common.skc_family, .local_port = sk->__sk_common.skc_num};
	c.remote_port = __builtin_bswap16(sk->__sk_common.skc_dport);
	if (c.family == INET) {
		BPF_CORE_READ_INTO((u32 *)c.local, sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((u32 *)c.remote, sk, __sk_common.skc_daddr);
	} else if (c.family == INET6) {
		BPF_CORE_READ_INTO((struct in6_addr *)c.local, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO((struct in6_addr *)c.remote, sk, __sk_common.skc_v6_daddr);
	} else {
		return 0;
	}
	exchange(SENT, &c);
	return 0;
}

static __always_inline void addressed(u32 type, struct bpf_sock_addr *ctx, u16 family)
{
	struct connection c = {.family = family};
	struct bpf_sock *sk = ctx->sk;
	if (!sk || ctx->protocol != UDP)
		return;
	c.local_port = sk->src_port;
	c.remote_port = __builtin_bswap16(ctx->user_port);
	u32 *to = (u32 *)c.remote;
	if (family == INET) {
		to[0] = ctx->user_ip4;
	} else {
		to[0] = ctx->user_ip6[0];
		to[1] = ctx->user_ip6[1];
		to[2] = ctx->user_ip6[2];
		to[3] = ctx->user_ip6[3];
	}
	exchange(type, &c);
}

// These answer 1: go on. They never refuse.
SEC("cgroup/sendmsg4")
int on_sendmsg4(struct bpf_sock_addr *ctx)
{
	addressed(SENT, ctx, INET);
	return 1;
}

SEC("cgroup/sendmsg6")
int on_sendmsg6(struct bpf_sock_addr *ctx)
{
	addressed(SENT, ctx, INET6);
	return 1;
}

SEC("cgroup/recvmsg4")
int on_recvmsg4(struct bpf_sock_addr *ctx)
{
	addressed(RECEIVED, ctx, INET);
	return 1;
}

SEC("cgroup/recvmsg6")
int on_recvmsg6(struct bpf_sock_addr *ctx)
{
	addressed(RECEIVED, ctx, INET6);
	return 1;
}
