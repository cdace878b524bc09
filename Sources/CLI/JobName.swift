import Glibc

/// Names for jobs.
enum JobName {
    /// A new name: the time in base 32, so that names sort by time, and some chance.
    static func make() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var number = UInt64(time.tv_sec) << 20 | UInt64.random(in: 0..<1 << 20)
        var digits: [Character] = []
        let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")
        while number > 0 {
            digits.append(alphabet[Int(number & 31)])
            number >>= 5
        }
        return String(digits.reversed())
    }
}
