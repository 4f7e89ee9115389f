mod ncrontab;
mod schedule;
mod timetable;
