package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/posener/complete"
	"github.com/spf13/pflag"

	"github.com/cinchapi/concourse-users/shared/account"
)

// options are one command's options, which may stand before and after its
// arguments; "--" ends them.
type options struct {
	*pflag.FlagSet
	format  string
	noInput bool
	// argument is what the arguments are: "username", or "file" where the
	// command says so.
	argument string
	// instead is what to do where there are too many arguments.
	instead string
	wide    bool
	secrets []*secretOption
	values  map[string]complete.Predictor
	// anything names the options whose values may be empty or any bytes here:
	// passwords, the paths of files, and settings.
	anything map[string]bool
}

func newOptions() *options {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.Usage = func() {}
	f.SortFlags = false
	return &options{FlagSet: f, format: "table", argument: "username", instead: "see its --help", values: map[string]complete.Predictor{}, anything: map[string]bool{}}
}

// formatOption is --format, for every command that prints a result.
func (o *options) formatOption() {
	o.Var(&choice{&o.format, []string{"table", "json"}}, "format", "print a `FORMAT`: table or json")
	o.values["format"] = complete.PredictSet("table", "json")
}

// homeOption is --home.
func (o *options) homeOption(home *string) {
	o.StringVar(home, "home", "", "the home `DIR` of the host (CONCOURSE_HOME)")
	o.values["home"] = complete.PredictDirs("*")
}

// boolOption is an option without a value. Unlike pflag's own it does not show
// one in the help; "--name=false" works all the same.
func (o *options) boolOption(b *bool, name, usage string) {
	o.BoolFunc(name, usage, func(s string) (err error) {
		if *b, err = strconv.ParseBool(s); err != nil {
			err = fmt.Errorf("%q is neither true nor false", account.Printable(s))
		}
		return err
	})
}

// wideOption is --wide, for tables.
func (o *options) wideOption() {
	o.boolOption(&o.wide, "wide", "cut nothing to fit the terminal, and print times in RFC 3339")
}

// noInputOption is --no-input.
func (o *options) noInputOption() {
	o.boolOption(&o.noInput, "no-input", "never ask; what is missing is an error")
}

// roleOption is --set-role.
func (o *options) roleOption(r *account.Role) {
	o.Var(&parsed[account.Role]{r, account.ParseRole}, "set-role", "the `ROLE`: ADMIN or USER")
	o.values["set-role"] = complete.PredictSet(string(account.Admin), string(account.User))
}

// permissionOption is --permission.
func (o *options) permissionOption(p *account.Permission) {
	o.Var(&parsed[account.Permission]{p, account.ParsePermission}, "permission", "the `PERMISSION`: READ or WRITE")
	o.values["permission"] = complete.PredictSet(string(account.Read), string(account.Write))
}

// environmentOption is -e, --environment.
func (o *options) environmentOption(e *string, usage string) {
	o.StringVarP(e, "environment", "e", "", usage)
}

// secretOption is --name and --name-file, for the password that whose is about.
func (o *options) secretOption(s *secretOption, name, whose string) {
	s.name = name
	o.Var(&s.value, name, whose+" `PASSWORD`, which shows in process lists")
	o.StringVar(&s.file, name+"-file", "", whose+" password is the first line of `FILE`; - is standard input")
	o.secrets = append(o.secrets, s)
	o.anything[name], o.anything[name+"-file"] = true, true
	o.values[name+"-file"] = complete.PredictFiles("*")
}

// parse reports whether help is asked for. It refuses with Invalid, in words
// that repeat no option's value but a bad one of a closed list.
func (o *options) parse(args []string) (help bool, err error) {
	err = o.ParseAll(args, o.set)
	if err == nil {
		err = o.checkArguments()
	}
	if errors.Is(err, pflag.ErrHelp) {
		return true, nil
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		if unknown.GetSpecifiedShortnames() != "" {
			return false, account.Invalid("", "there is no option -%s; long options begin with two hyphens", account.Printable(unknown.GetSpecifiedName()))
		}
		return false, account.Invalid("", "there is no option --%s%s", account.Printable(unknown.GetSpecifiedName()), o.suggest(unknown.GetSpecifiedName()))
	}
	if missing, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return false, account.Invalid(missing.GetFlag().Name, "--%s needs a value", missing.GetFlag().Name)
	}
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return false, account.Invalid(bad.GetFlag().Name, "--%s: %v", bad.GetFlag().Name, bad.Unwrap())
	}
	if refusal, ok := errors.AsType[*account.Error](err); ok {
		return false, refusal
	}
	if err != nil {
		return false, account.Invalid("", "%v", err)
	}
	return false, o.checkSecrets()
}

// set is where every option's value passes. An empty one is most likely a
// shell's variable that is not set, and must not stand for a default.
func (o *options) set(f *pflag.Flag, value string) error {
	switch {
	case o.anything[f.Name]:
	case value == "":
		return account.Invalid(f.Name, "--%s is given an empty value; name one, or leave the option out", f.Name)
	case !utf8.ValidString(value):
		return account.Invalid(f.Name, "--%s must be valid UTF-8", f.Name)
	}
	return o.Set(f.Name, value)
}

func (o *options) checkArguments() error {
	for _, a := range o.Args() {
		switch {
		case a == "":
			return account.Invalid(o.argument, "%s must not be empty", oneOf(o.argument))
		case !utf8.ValidString(a):
			return account.Invalid(o.argument, "%s must be valid UTF-8", oneOf(o.argument))
		}
	}
	return nil
}

func oneOf(noun string) string {
	if strings.ContainsRune("aeio", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

func (o *options) checkSecrets() error {
	fromInput := ""
	for _, s := range o.secrets {
		switch {
		case s.file == "" && o.Changed(s.name+"-file"):
			return account.Invalid(s.name+"-file", "--%s-file needs a file's name, or - for standard input", s.name)
		case s.value.given && s.file != "":
			return account.Invalid(s.name, "--%s and --%s-file exclude each other", s.name, s.name)
		case s.generate && s.given():
			return account.Invalid("generate", "--generate and --%s exclude each other", s.givenBy())
		case s.generate && o.Changed("request-id"):
			return account.Invalid("generate", "--generate makes another password each time; ask again with the one of that attempt, in --%s-file", s.name)
		case s.file == "-" && fromInput != "":
			return account.Invalid(s.name+"-file", "--%s-file and --%s-file cannot both be standard input", fromInput, s.name)
		case s.file == "-":
			fromInput = s.name
		}
	}
	return nil
}

func (o *options) suggest(name string) string {
	var names []string
	o.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := nearest(name, names); near != "" {
		return "; did you mean --" + near + "?"
	}
	return "; see --help"
}

func (o *options) predictions() complete.Flags {
	flags := complete.Flags{"--help": complete.PredictNothing}
	o.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value := o.values[f.Name]
		if value == nil && f.NoOptDefVal == "" {
			value = complete.PredictAnything
		}
		flags["--"+f.Name] = value
		if f.Shorthand != "" {
			flags["-"+f.Shorthand] = value
		}
	})
	return flags
}

// choice is an option's value out of a closed list, in any case.
type choice struct {
	value *string
	of    []string
}

func (c *choice) String() string { return "" }
func (c *choice) Type() string   { return "" }
func (c *choice) Set(s string) error {
	i := slices.IndexFunc(c.of, func(name string) bool { return strings.EqualFold(name, s) })
	if i < 0 {
		return fmt.Errorf("%q is not among %s", account.Printable(s), strings.Join(c.of, ", "))
	}
	*c.value = c.of[i]
	return nil
}

// parsed is an option's value that a function reads.
type parsed[T any] struct {
	value *T
	parse func(string) (T, error)
}

func (p *parsed[T]) String() string { return "" }
func (p *parsed[T]) Type() string   { return "" }
func (p *parsed[T]) Set(s string) (err error) {
	*p.value, err = p.parse(s)
	return err
}
