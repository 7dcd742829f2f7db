package process

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespaces are the attributes of an init process. It is root in there, as in
// most containers, and nobody else than its user outside. For the machine's root
// all users keep their ids, so that it can still give files to them.
func namespaces(i *Isolation) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		Setpgid:     true,
	}
	if i.Alone {
		attr.Cloneflags |= syscall.CLONE_NEWNET
	}
	if os.Getuid() != 0 {
		return attr, nil
	}
	var err, failed error
	attr.UidMappings, err = identity("/proc/self/uid_map")
	attr.GidMappings, failed = identity("/proc/self/gid_map")
	attr.GidMappingsEnableSetgroups = true
	return attr, errors.Join(err, failed)
}

// identity maps all ids that are known here (user_namespaces(7)) to themselves.
func identity(file string) (all []syscall.SysProcIDMap, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var first, outside, size int
		if _, err := fmt.Sscan(lines.Text(), &first, &outside, &size); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, syscall.SysProcIDMap{ContainerID: first, HostID: first, Size: size})
	}
	return all, nil
}

// enter makes the view that an isolation asks for, in namespaces that nobody has
// seen yet.
func enter(i *Isolation) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	sources := make([]string, len(i.Mounts))
	for n, m := range i.Mounts {
		// An open folder can be mounted after its place was hidden.
		from, err := hold(m.From)
		if err != nil {
			return err
		}
		sources[n] = from
		if err := makeRoom(m.To); err != nil {
			return err
		}
	}
	for _, dir := range i.Hidden {
		if err := cover(dir); err != nil {
			return err
		}
	}
	for n, m := range i.Mounts {
		if _, err := os.Stat(m.To); errors.Is(err, os.ErrNotExist) {
			if err := os.MkdirAll(m.To, 0o755); err != nil {
				return err
			}
		}
		if err := show(sources[n], m.To); err != nil {
			return err
		}
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if i.Alone {
		return raiseLoopback()
	}
	return nil
}

// hold opens a file or folder for as long as the process lives and names it, even
// when something else is mounted over it.
func hold(path string) (string, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", &os.PathError{Op: "open", Path: path, Err: err}
	}
	return fmt.Sprintf("/proc/self/fd/%d", fd), nil
}

// cover hides what a folder holds behind an empty one.
func cover(dir string) error {
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size=1m,mode=755"); err != nil {
		return fmt.Errorf("cover %s: %w", dir, err)
	}
	return nil
}

func show(from, to string) error {
	if err := unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mount at %s: %w", to, err)
	}
	return nil
}

// makeRoom makes it possible to mount something at a place that is not there,
// without a trace on the machine's disk: the folder above becomes a new one with
// the same content.
func makeRoom(place string) error {
	if _, err := os.Stat(place); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(place)
	within, err := os.ReadDir(parent)
	if err != nil {
		return fmt.Errorf("no room for %s: %w", place, err)
	}
	old, err := hold(parent)
	if err != nil {
		return err
	}
	if err := cover(parent); err != nil {
		return err
	}
	for _, entry := range within {
		if err := keep(filepath.Join(old, entry.Name()), filepath.Join(parent, entry.Name()), entry.Type()); err != nil {
			return err
		}
	}
	return nil
}

// keep shows at a place of a covered folder what was there.
func keep(old, place string, kind os.FileMode) error {
	var err error
	switch {
	case kind&os.ModeSymlink != 0:
		target, err := os.Readlink(old)
		if err != nil {
			return err
		}
		return os.Symlink(target, place)
	case kind.IsDir():
		err = os.Mkdir(place, 0o755)
	default:
		err = os.WriteFile(place, nil, 0o644)
	}
	if err != nil {
		return err
	}
	return show(old, place)
}

// raiseLoopback brings the loopback interface of a new network namespace up.
func raiseLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("loopback interface: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("loopback interface: %w", err)
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("loopback interface: %w", err)
	}
	return nil
}
