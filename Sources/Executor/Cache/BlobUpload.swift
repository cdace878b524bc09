package import PipelineIR
internal import Synchronization

/// A content that comes in parts, from somebody who says which one it is. It is in the store once
/// all of it came and is what was said; else nothing of it stays.
package final class BlobUpload: Sendable {
    private struct State {
        var draft: Draft?
        var hasher = DigestHasher()
        var size: Int64 = 0
    }

    private let store: ContentStore
    private let state: Mutex<State>

    /// Begins to write aside.
    package init(to store: ContentStore) throws(CacheError) {
        self.store = store
        state = Mutex(State(draft: try Draft(store)))
    }

    deinit { state.withLock { $0.draft?.discard() } }

    /// Adds bytes. After an error, and after the end, there is nothing to add to.
    package func add(_ bytes: UnsafeRawBufferPointer) throws(CacheError) {
        try state.withLock { state throws(CacheError) in
            guard let draft = state.draft else { return }
            do throws(CacheError) {
                try draft.write(bytes)
            } catch {
                draft.discard()
                state.draft = nil
                throw error
            }
            state.hasher.update(bytes)
            state.size += Int64(bytes.count)
        }
    }

    /// Puts it into the store; `false` when it is another content than that of the digest.
    package func finish(as digest: Digest) throws(CacheError) -> Bool {
        try state.withLock { state throws(CacheError) in
            guard let draft = state.draft else { return false }
            state.draft = nil
            guard state.hasher.finalize() == digest else {
                draft.discard()
                return false
            }
            try store.add(draft, ContentStore.Blob(digest: digest, size: state.size))
            return true
        }
    }
}
