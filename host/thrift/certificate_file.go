package thrift

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// mostPEM bounds a file of PEM, in bytes.
const mostPEM = 1 << 20

// content is what a file holds, and who may read it.
type content struct {
	bytes []byte
	mode  fs.FileMode
}

// readFile reads a file. It refuses what is none, such as a pipe, which might have
// it wait for ever: before it is opened, since some devices act upon that, and again
// for what was opened.
func readFile(path string) (content, error) {
	info, err := os.Stat(path)
	if err != nil {
		return content{}, err
	}
	if err := checkFile(path, info); err != nil {
		return content{}, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return content{}, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return content{}, err
	}
	if err := checkFile(path, info); err != nil {
		return content{}, err
	}
	data, err := io.ReadAll(io.LimitReader(f, mostPEM))
	return content{data, info.Mode()}, err
}

func checkFile(path string, info fs.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file", path)
	case info.Size() > mostPEM:
		return fmt.Errorf("%s has %d bytes; a file of PEM may have %d", path, info.Size(), mostPEM)
	}
	return nil
}
