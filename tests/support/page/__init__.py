"""Pages in a real browser: the browser, a whole site, the stages of a visit."""
