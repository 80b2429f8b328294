package main

import "context"

type pluginReload struct{ place }

func (*pluginReload) Synopsis() string { return "Start the rebuilt plugin in place of the running one" }

func (*pluginReload) Help() string {
	return `Usage: concourse plugin reload [options]

  Starts the plugin's executable anew, as it now is, without a failed call or a
  lost session. If the new one does not come up, the old one serves on. For the
  owner of the home, and root.`
}

func (v *pluginReload) Options(o *options) {
	v.define(o)
	o.formatOption()
}

func (v *pluginReload) Run(ctx context.Context, c *console) error {
	h, err := v.dial(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	s, err := h.PluginReload(ctx)
	if err != nil {
		return err
	}
	return c.plugin(s)
}
