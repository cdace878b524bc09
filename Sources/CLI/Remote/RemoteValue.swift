import Compiler
import Executor
import Glibc

extension JSONValue {
    /// The value as a whole number.
    var number: Int64? {
        guard case .integer(let number) = self else { return nil }
        return number
    }

    /// The elements of an array.
    var elements: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// A point in time as RFC 3339 writes it; `nil` for anything else.
    var time: Timestamp? { text.flatMap { Timestamp(rfc3339: $0) } }

    /// The value on a line of its own.
    var line: TextBuffer {
        var buffer = TextBuffer()
        buffer.put(canonical)
        buffer.put(byte: 0x0a)
        return buffer
    }
}

extension Timestamp {
    /// Reads `2026-11-24T22:08:40.123Z`; fractions may be missing, an offset may stand for `Z`.
    init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 40 else { return nil }
        func number(_ from: Int, _ count: Int) -> Int32? {
            guard from + count <= bytes.count else { return nil }
            var value: Int32 = 0
            for byte in bytes[from..<(from + count)] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int32(byte - 0x30)
            }
            return value
        }
        let marks: [(Int, UInt8)] = [(4, 0x2d), (7, 0x2d), (13, 0x3a), (16, 0x3a)]
        guard marks.allSatisfy({ bytes[$0.0] == $0.1 }), [0x54, 0x74, 0x20].contains(bytes[10]),
            let year = number(0, 4), let month = number(5, 2), let day = number(8, 2),
            let hour = number(11, 2), let minute = number(14, 2), let second = number(17, 2),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (year - 1900, month - 1, day)
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (hour, minute, second)
        var rest = 19
        var microseconds: Int64 = 0
        if bytes[rest] == 0x2e {
            rest += 1
            var unit: Int64 = 100_000
            while rest < bytes.count, (0x30...0x39).contains(bytes[rest]) {
                microseconds += Int64(bytes[rest] - 0x30) * unit
                unit /= 10
                rest += 1
            }
        }
        var offset: Int64 = 0
        guard rest < bytes.count else { return nil }
        switch bytes[rest] {
        case 0x5a, 0x7a: guard rest + 1 == bytes.count else { return nil }
        case 0x2b, 0x2d:
            guard bytes.count == rest + 6, bytes[rest + 3] == 0x3a, let hours = number(rest + 1, 2),
                let minutes = number(rest + 4, 2)
            else { return nil }
            offset = Int64(hours * 60 + minutes) * (bytes[rest] == 0x2b ? 60 : -60)
        default: return nil
        }
        self.init(microseconds: (Int64(timegm(&parts)) - offset) * 1_000_000 + microseconds)
    }
}
