internal import Glibc

internal import struct Executor.Timestamp

/// Whether something is due that is done once a day, in the time zone of the machine.
enum DailyTime {
    /// Whether a time of day has come since it was done last. One that passed while nobody was
    /// there is made up for, once. A last time that is to come says nothing: the clock was wrong.
    ///
    /// - Parameter last: when it was done, or when there was first something to do.
    static func isDue(_ time: TimeOfDay, last: Timestamp, now: Timestamp) -> Bool {
        if last > now { return true }
        guard let slot = latest(time, before: now) else { return false }
        return last < slot
    }

    /// The latest moment, not after another, at which it was that time of day.
    static func latest(_ time: TimeOfDay, before now: Timestamp) -> Timestamp? {
        for days in [0, 1, 2] {
            var seconds = time_t(now.microseconds / 1_000_000)
            var parts = tm()
            guard localtime_r(&seconds, &parts) != nil else { return nil }
            parts.tm_mday -= Int32(days)
            parts.tm_hour = Int32(time.hour)
            parts.tm_min = Int32(time.minute)
            parts.tm_sec = 0
            // Whether summer time holds then is for the system to find out.
            parts.tm_isdst = -1
            let found = mktime(&parts)
            let (microseconds, overflow) = Int64(found).multipliedReportingOverflow(by: 1_000_000)
            guard found != -1, !overflow else { return nil }
            if microseconds <= now.microseconds { return Timestamp(microseconds: microseconds) }
        }
        return nil
    }
}
