"""The command line: ``commands`` holds a module per command or group, ``checks`` what `doctor` looks at, ``run`` the
parts of `moodstream run`."""
