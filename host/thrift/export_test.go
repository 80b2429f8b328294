package thrift

// Parameters reads invokeManagement's parameters.
var Parameters = parameters
