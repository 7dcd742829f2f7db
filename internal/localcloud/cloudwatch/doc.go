// Package cloudwatch keeps metrics: it takes single values and sets of values,
// adds them up by second and by minute, and answers for their statistics and
// percentiles over any period.
//
// Nothing is kept value by value. Each second and minute of a series holds a
// summary of fixed accuracy that merges, so memory and disk grow with series and
// time, not with traffic. As on AWS, seconds are kept for 3 hours and minutes for
// 15 days. Alarms watch statistics of them. Metric math and dashboards are not
// offered.
package cloudwatch
