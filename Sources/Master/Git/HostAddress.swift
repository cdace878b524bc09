internal import Glibc

/// An address of a host, as the resolver gives it.
struct HostAddress: Sendable, Equatable {
    /// The bytes: four, or sixteen.
    let bytes: [UInt8]

    /// Takes four or sixteen bytes.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// In figures, as programs take it.
    var text: String {
        if bytes.count == 4 { return bytes.map(String.init).joined(separator: ".") }
        return stride(from: 0, to: bytes.count, by: 2).map { index in
            String(UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1]), radix: 16)
        }.joined(separator: ":")
    }

    /// Whether it is one of the internet: none of this machine, of a private network, of a link, of
    /// a cluster's services, or kept for other purposes (the registries of RFC 6890).
    var isPublic: Bool {
        bytes.count == 4 ? Self.isPublic(four: bytes) : Self.isPublic(sixteen: bytes)
    }

    private static let kept: [(prefix: [UInt8], bits: Int)] = [
        ([0], 8), ([10], 8), ([100, 64], 10), ([127], 8), ([169, 254], 16), ([172, 16], 12),
        ([192, 0, 0], 24), ([192, 0, 2], 24), ([192, 88, 99], 24), ([192, 168], 16),
        ([198, 18], 15), ([198, 51, 100], 24), ([203, 0, 113], 24), ([224], 3),
    ]

    private static func isPublic(four: [UInt8]) -> Bool {
        !kept.contains { matches(four, $0.prefix, bits: $0.bits) }
    }

    /// Only 2000::/3 is given to anybody; what holds an address of four bytes is judged by that.
    private static func isPublic(sixteen: [UInt8]) -> Bool {
        let zeros = sixteen.prefix(10).allSatisfy { $0 == 0 }
        if zeros, sixteen[10] == 0xff, sixteen[11] == 0xff {
            return isPublic(four: Array(sixteen[12...]))
        }
        guard sixteen[0] & 0xe0 == 0x20 else {
            // 64:ff9b::/96 translates.
            let translates =
                sixteen.prefix(4).elementsEqual([0, 0x64, 0xff, 0x9b])
                && sixteen[4..<12].allSatisfy { $0 == 0 }
            return translates && isPublic(four: Array(sixteen[12...]))
        }
        // 2002::/16 holds an address of four bytes; 2001::/23 and 2001:db8::/32 are kept.
        if matches(sixteen, [0x20, 0x02], bits: 16) {
            return isPublic(four: Array(sixteen[2..<6]))
        }
        return !matches(sixteen, [0x20, 0x01, 0x00], bits: 23)
            && !matches(sixteen, [0x20, 0x01, 0x0d, 0xb8], bits: 32)
    }

    private static func matches(_ bytes: [UInt8], _ prefix: [UInt8], bits: Int) -> Bool {
        var left = bits
        for (index, byte) in bytes.enumerated() where left > 0 {
            let mask = left >= 8 ? UInt8.max : ~(UInt8.max >> UInt8(left))
            let wanted = index < prefix.count ? prefix[index] : 0
            if byte & mask != wanted & mask { return false }
            left -= 8
        }
        return true
    }

    /// All addresses of a host. It waits for the resolver.
    static func all(of host: String) -> [HostAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0, let list else { return [] }
        defer { freeaddrinfo(list) }
        var found: [HostAddress] = []
        for entry in sequence(first: list, next: { $0.pointee.ai_next }) {
            guard let address = entry.pointee.ai_addr else { continue }
            let raw = UnsafeRawPointer(address)
            let place: Int
            let count: Int
            switch entry.pointee.ai_family {
            case AF_INET: (place, count) = (4, 4)
            case AF_INET6: (place, count) = (8, 16)
            default: continue
            }
            guard place + count <= Int(entry.pointee.ai_addrlen) else { continue }
            let one = HostAddress(
                (0..<count).map { raw.load(fromByteOffset: place + $0, as: UInt8.self) })
            if !found.contains(one) { found.append(one) }
        }
        return found
    }
}
