// Package docs holds the pages for users, in Markdown, and the tests that keep
// them in step with the program. No code that runs belongs here.
package docs
