internal import Glibc

/// An array of C strings that ends with a null pointer, in one block of memory.
final class CStrings {
    /// The array.
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let block: UnsafeMutablePointer<CChar>

    /// Copies texts; what follows a NUL in one of them is not seen by its reader.
    init(_ texts: [String]) {
        let size = texts.reduce(1) { $0 + $1.utf8.count + 1 }
        let block = UnsafeMutablePointer<CChar>.allocate(capacity: size)
        pointers = .allocate(capacity: texts.count + 1)
        self.block = block
        var offset = 0
        for (index, text) in texts.enumerated() {
            pointers[index] = block + offset
            for byte in text.utf8 {
                block[offset] = CChar(bitPattern: byte)
                offset += 1
            }
            block[offset] = 0
            offset += 1
        }
        pointers[texts.count] = nil
    }

    /// Calls a function with the array as C functions take it that change nothing.
    func withConstantPointers<Result>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        let raw = UnsafeRawPointer(pointers)
        return body(raw.assumingMemoryBound(to: UnsafePointer<CChar>?.self))
    }

    deinit {
        pointers.deallocate()
        block.deallocate()
    }
}
