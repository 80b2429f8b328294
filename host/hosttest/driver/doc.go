// Package driver is a driver of Concourse for tests, made by hand over Thrift's
// own library and the table of methods: it calls any method of any of the
// services with simple values, and shows what its caller would be told.
//
// It knows two styles: one as the Java driver, with multiplexed names and every
// exception of the interface; one as the older drivers of Python, Ruby and PHP,
// with bare names and an interface that has no PermissionException, to which a
// refusal in that form looks like success. It never logs in by itself and never
// repeats a call. Only tests use it.
package driver
