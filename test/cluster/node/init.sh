#!/bin/sh
# init.sh FOLDER: process 1 of the node's process namespace, which runs containerd and the kubelet
# until one of them ends. The kernel then ends all other processes of the namespace, containers
# included, and drops the mounts of its mount namespace.
set -u

home=$1
# The kubelet mounts volumes here, and containerd binds them into containers.
mount --bind "$home" "$home" && mount --make-rshared "$home" || exit 1
# Folders that the programs use whatever their settings are: this node's own, empty, and gone with
# it.
for folder in /run/containerd /run/netns /var/lib/cni /var/lib/kubelet /var/log/containers; do
	mkdir -p "$folder" && mount -t tmpfs tmpfs "$folder" || exit 1
done

containerd --config "$home/containerd.toml" >"$home/containerd.log" 2>&1 &
containerd=$!
until ctr --address "$home/containerd.sock" version >/dev/null 2>&1; do
	kill -0 "$containerd" || exit 1
	sleep 0.1
done
kubelet --config "$home/kubelet.yaml" --kubeconfig "$home/kubeconfig" --root-dir "$home/kubelet" --cert-dir "$home/pki" \
	--hostname-override "$NODE_NAME" --node-ip "$NODE_ADDRESS" >"$home/kubelet.log" 2>&1 &
kubelet=$!
while kill -0 "$containerd" && kill -0 "$kubelet"; do
	# Reaps the processes whose parents have ended.
	sleep 1 &
	wait $!
done
