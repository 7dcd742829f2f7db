package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
	"steward/starter/live"
)

// The second of two people approves in a browser what the first approved by the
// command.
func TestConsoleApproval(t *testing.T) {
	t.Parallel()
	m := newModel(t, shared.get(t), "console")
	m.put("january.parquet", parquet(t, rows(t, 1, 3000, january)))
	m.declare()
	m.release()
	m.awaitApproval(1)
	m.approve(1, scientist)
	m.await("the second person is waited for", func(v live.View) bool {
		return asks(v, 1) && v.Release.Release.Awaiting[0].Role == lifecycle.ProductManager
	})
	digest := m.seen.Release.Release.Evidence.Digest

	b := openBrowser(t)
	b.do(chromedp.Navigate(m.Logins[product]))
	require.Contains(t, b.text("header"), product)
	b.do(chromedp.Navigate(m.Gateway + "/models/" + m.Name))
	require.Contains(t, b.text("#release h2"), "Release 1")
	require.Contains(t, b.text("#release"), "Waiting for product-manager")
	require.Contains(t, b.text("#release"), "ana approves")
	require.Equal(t, digest, b.text("#release .evidence code"), "what is seen is what the API says")
	b.do(chromedp.Click(chromedp.CSS("#curves summary")), chromedp.WaitVisible(chromedp.CSS(`#curves svg[aria-label="ROC curve"]`)))
	require.Contains(t, b.text("#curves"), "Reliability")
	b.shoot("curves")
	const comment = "slices <look> sound & good"
	b.do(chromedp.SendKeys(chromedp.ID("comment"), comment))
	b.shoot("waiting")
	_, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.ID("approve")))
	require.NoError(t, err)
	require.Contains(t, b.text("#release"), "pat approves")
	require.Contains(t, b.text("#release"), comment)
	b.shoot("approved")

	m.awaitChampion(1)
	decisions := m.seen.Release.Release.Decisions
	require.Len(t, decisions, 2)
	require.Equal(t, product, decisions[1].Subject)
	require.Equal(t, comment, decisions[1].Comment)
	require.Equal(t, digest, decisions[1].Digest)
	require.True(t, decisions[1].Counted)
	eventually(t, "the open page shows that release 1 serves", func() error {
		if got := b.text(".facts div:first-child"); !strings.Contains(got, "release 1") {
			return fmt.Errorf("it shows %s", got)
		}
		return nil
	})
	b.shoot("serves")
}

// browser is a Chromium with one page.
type browser struct {
	*testing.T
	ctx context.Context
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.WindowSize(1280, 1600))
	ctx, end := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(end)
	ctx, end = chromedp.NewContext(ctx)
	t.Cleanup(end)
	ctx, end = context.WithTimeout(ctx, patience)
	t.Cleanup(end)
	return &browser{t, ctx}
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	require.NoError(b, chromedp.Do(b.ctx, actions...))
}

// text is what people read of the first element that a CSS selector finds.
func (b *browser) text(selector string) string {
	b.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS(selector)))
	require.NoError(b, err, selector)
	return strings.TrimSpace(text)
}

// shoot keeps a picture of the page with the test's artifacts.
func (b *browser) shoot(name string) {
	b.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	require.NoError(b, err)
	file := filepath.Join(b.ArtifactDir(), "console-"+name+".png")
	require.NoError(b, os.WriteFile(file, picture, 0o600))
	b.Log(file)
}
