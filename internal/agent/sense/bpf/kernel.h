/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The fields of the kernel's structures that sense.bpf.c reads. Only names
 * count: where a field lies is found out on each host, from the kernel's own
 * description of its types.
 */
#ifndef PICKET_KERNEL_H
#define PICKET_KERNEL_H

#include <linux/types.h>
#include <stdbool.h>

typedef __u64 u64;
typedef __u32 u32;
typedef __u16 u16;
typedef __u8 u8;
typedef __s64 s64;
typedef __s32 s32;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};
struct pid_namespace {
	struct ns_common ns;
};
struct upid {
	int nr;
	struct pid_namespace *ns;
};
struct pid {
	unsigned int level;
	struct upid numbers[1];
};
typedef struct {
	int counter;
} atomic_t;
struct signal_struct {
	atomic_t live;
	int group_exit_code;
};
struct mm_struct {
	unsigned long arg_start, arg_end;
};
typedef struct {
	u32 val;
} kuid_t;
struct cred {
	kuid_t uid, euid;
};
struct net {
	struct ns_common ns;
};
struct kernfs_node {
	const char *name;
};
struct cgroup_subsys_state;
struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};
struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};
enum cgroup_subsys_id {
	memory_cgrp_id,
	pids_cgrp_id,
};
struct css_set {
	struct cgroup_subsys_state *subsys[16];
	struct cgroup *dfl_cgrp;
};
struct task_struct {
	int pid, tgid;
	struct task_struct *group_leader, *real_parent;
	u64 start_boottime;
	struct mm_struct *mm;
	const struct cred *cred;
	struct pid *thread_pid;
	struct signal_struct *signal;
	struct css_set *cgroups;
	int exit_code;
	kuid_t loginuid;
	unsigned int sessionid;
};
struct qstr {
	u32 len;
	const unsigned char *name;
};
struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
};
struct vfsmount {
	struct dentry *mnt_root;
};
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};
struct super_block {
	u32 s_dev;
};
struct inode {
	struct super_block *i_sb;
	unsigned long i_ino;
	s64 i_size;
};
struct file {
	struct path f_path;
	struct inode *f_inode;
};
struct linux_binprm {
	struct file *file;
	const char *filename, *interp;
};
struct in6_addr {
	u8 bytes[16];
};
typedef struct {
	struct net *net;
} possible_net_t;
struct sock_common {
	u32 skc_daddr, skc_rcv_saddr;
	u16 skc_dport, skc_num;
	u16 skc_family;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};
struct module {
	char name[56];
};
struct sock {
	struct sock_common __sk_common;
	u16 sk_protocol;
};

#pragma clang attribute pop

#endif
