import Glibc

/// The input that is being read, in a file that outlives the process.
///
/// A trap ends the process at once, so the input has to be there before it is read. The file is
/// mapped: keeping an input costs a copy and no call.
final class KeptInput {
    private let start: UnsafeMutableRawPointer
    private static let capacity = 4 << 20

    /// `nil` when the file cannot be made.
    init?(_ path: String) {
        let file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { return nil }
        defer { close(file) }
        guard ftruncate(file, Self.capacity) == 0,
            let mapped = mmap(nil, Self.capacity, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0),
            mapped != MAP_FAILED
        else { return nil }
        start = mapped
    }

    deinit { munmap(start, Self.capacity) }

    /// Keeps an input: eight bytes of length, then the bytes.
    func keep(_ bytes: [UInt8]) {
        let count = min(bytes.count, Self.capacity - 8)
        start.storeBytes(of: UInt64(count).littleEndian, as: UInt64.self)
        bytes.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            memcpy(start + 8, base, count)
        }
    }
}
