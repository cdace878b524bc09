internal import Glibc

/// The clear bytes of a secret. They are overwritten when the last reference goes, are in no
/// description, and are copied only where they are handed over.
package final class SecretValue: Sendable, CustomStringConvertible {
    // SAFETY: The memory is written in `init` only, before anybody else has a reference, and in
    // `deinit`, when nobody has one any more; between them it is read only.
    nonisolated(unsafe) private let memory: UnsafeMutableRawBufferPointer

    /// Copies bytes; the caller overwrites its own.
    package init(copying bytes: UnsafeRawBufferPointer) {
        memory = .allocate(byteCount: bytes.count, alignment: 1)
        memory.copyMemory(from: bytes)
    }

    /// Takes bytes over and overwrites them where they were.
    package init(taking bytes: inout [UInt8]) {
        memory = .allocate(byteCount: bytes.count, alignment: 1)
        memory.copyBytes(from: bytes)
        bytes.withUnsafeMutableBytes { Self.overwrite($0) }
        bytes = []
    }

    deinit {
        Self.overwrite(memory)
        memory.deallocate()
    }

    /// How many bytes it has.
    package var count: Int { memory.count }

    /// Hands the bytes over, for as long as the closure runs.
    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(memory))
    }

    /// Never the value.
    package var description: String { "a secret" }

    /// Overwrites memory in a way that no optimiser leaves out.
    static func overwrite(_ memory: UnsafeMutableRawBufferPointer) {
        guard let start = memory.baseAddress else { return }
        explicit_bzero(start, memory.count)
    }
}
