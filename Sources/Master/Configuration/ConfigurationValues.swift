/// How a line of the master's own log is written.
package enum LogFormat: String, Sendable, CaseIterable {
    /// For people.
    case text
    /// One JSON object a line.
    case json
}

/// A host and a port to listen on.
package struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// A name or an address, without the brackets of IPv6.
    package var host: String
    /// 0 lets the system choose.
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Parses `host:port`, where an IPv6 address stands in brackets.
    package init?(_ text: String) {
        guard text.utf8.count <= 300, let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...]),
            text[text.index(after: colon)...].utf8.first != UInt8(ascii: "+")
        else { return nil }
        var host = text[..<colon]
        let bracketed = host.hasPrefix("[") && host.hasSuffix("]") && host.count > 2
        if bracketed { host = host.dropFirst().dropLast() }
        let letters = host.utf8.allSatisfy {
            $0.isWord || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
                || bracketed && ($0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "%"))
        }
        guard !host.isEmpty, letters else { return nil }
        self.init(host: String(host), port: Int(port))
    }

    /// As the configuration has it.
    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// A minute of a day.
package struct TimeOfDay: Sendable, Equatable, CustomStringConvertible {
    package var hour: Int
    package var minute: Int

    package init(hour: Int, minute: Int) {
        self.hour = hour
        self.minute = minute
    }

    /// Parses `03:30`.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 5, bytes[2] == UInt8(ascii: ":"),
            bytes.enumerated().allSatisfy({ $0.offset == 2 || $0.element.isDigit }),
            let hour = Int(text.prefix(2)), let minute = Int(text.suffix(2)), hour < 24,
            minute < 60
        else { return nil }
        self.init(hour: hour, minute: minute)
    }

    /// `03:30`.
    package var description: String {
        (hour < 10 ? "0" : "") + "\(hour):" + (minute < 10 ? "0" : "") + "\(minute)"
    }
}

extension UInt8 {
    /// `0` to `9`.
    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

    /// A letter of ASCII.
    var isLetter: Bool { (self | 0x20) >= UInt8(ascii: "a") && (self | 0x20) <= UInt8(ascii: "z") }

    /// A letter, a digit or `_`.
    var isWord: Bool { isDigit || isLetter || self == UInt8(ascii: "_") }
}
